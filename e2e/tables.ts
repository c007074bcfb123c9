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
