/** Tables as people bring them, made in code so that every byte of them can be read here. */

const FOODS = ['soup', 'bread', 'cheese', 'rice', 'cake', 'pasta', 'salad', 'pie'];
const TASTES = ['salty', 'sweet', 'burnt', 'fresh', 'spicy'];
const TEAMS = ['team', 'goalkeeper', 'striker', 'coach', 'runner', 'referee', 'swimmer', 'captain'];
const DEEDS = ['won the match', 'scored a goal', 'lost the game', 'ran the race', 'missed the ball'];

/**
 * Two topics that even the smallest model tells apart after a few dozen steps: every food with every taste, every athlete
 * with every deed, in two wordings. 168 rows, of which "sport" has 88.
 */
export function topicRows(): [text: string, label: string][] {
  const food = FOODS.flatMap((thing) =>
    TASTES.flatMap((taste): [string, string][] => [
      [`the ${thing} in the kitchen was ${taste}`, 'food'],
      [`we ate ${taste} ${thing} for dinner`, 'food'],
    ]),
  );
  const sport = TEAMS.flatMap((who) =>
    [...DEEDS, 'trained in the stadium'].flatMap((deed, i): [string, string][] =>
      i === 5
        ? [[`the ${who} ${deed}`, 'sport']]
        : [
            [`the ${who} ${deed} on sunday`, 'sport'],
            [`after a long season the ${who} ${deed}`, 'sport'],
          ],
    ),
  );
  return [...food, ...sport];
}

/** The rows as CSV, every cell quoted. */
export function csv(
  rows: readonly (readonly string[])[],
  header: string[] = ['text', 'label'],
  between = ',',
): string {
  const quoted = (cell: string) => `"${cell.replace(/"/g, '""')}"`;
  return [header, ...rows].map((row) => `${row.map(quoted).join(between)}\r\n`).join('');
}

/** `count` plain rows of two labels. */
export function plainRows(count: number): [text: string, label: string][] {
  return Array.from({ length: count }, (_, i) => [
    `row ${i} says ${i % 2 ? 'the soup was cold' : 'the team has won'}`,
    i % 2 ? 'food' : 'sport',
  ]);
}

/** A NumPy file of float32 values, as the paper's authors release their prompts. */
export function npy(shape: readonly number[]): Uint8Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const words = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = `${words.padEnd(128 - 10 - 1)}\n`;
  const bytes = Buffer.alloc(128 + 4 * count, 0);
  bytes.write(`\x93NUMPY\x01\x00`, 'latin1');
  bytes.writeUInt16LE(header.length, 8);
  bytes.write(header, 10, 'latin1');
  for (let i = 0; i < count; i++) bytes.writeFloatLE(Math.sin(i), 128 + 4 * i);
  return bytes;
}
