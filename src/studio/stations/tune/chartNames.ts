/** Names of lines in the margin right of a chart: beside their line where there is room, pushed apart where there is not. */
import type { Flat, Line } from './chartData.ts';

export interface NamedValue {
  name: string;
  value: number;
  kind: 'flat' | 'older' | 'current';
}

/** What is named: every dashed line; and, where there are several runs, each of them at its last value. */
export function namesOf(lines: readonly Line[], flats: readonly Flat[]): NamedValue[] {
  const runs = lines.filter((line) => !line.faint && line.points.length > 0);
  const named =
    runs.length > 1
      ? runs.map(
          (line): NamedValue => ({
            name: line.name,
            value: line.points.at(-1)![1],
            kind: line.warm ? 'current' : 'older',
          }),
        )
      : [];
  return [...flats.map((flat): NamedValue => ({ ...flat, kind: 'flat' })), ...named].filter(({ value }) =>
    Number.isFinite(value),
  );
}

const RANK = { current: 0, flat: 1, older: 2 } as const;

/**
 * Heights of the names' middles, given the heights of their lines; undefined for names that there is no room for: the oldest
 * runs go first. `line` is the height that one name takes.
 * @param at heights of the lines, downwards, in the order of `names`
 */
export function placeNames(
  names: readonly Pick<NamedValue, 'kind'>[],
  at: readonly number[],
  [top, bottom]: readonly [number, number],
  line: number,
): (number | undefined)[] {
  const room = Math.max(1, Math.floor((bottom - top) / line));
  const kept = names
    .map((_, i) => i)
    // Of the older runs the newest, which come last, are kept.
    .sort((a, b) => RANK[names[a]!.kind] - RANK[names[b]!.kind] || b - a)
    .slice(0, room)
    .sort((a, b) => at[a]! - at[b]! || a - b);
  const placed: (number | undefined)[] = names.map(() => undefined);
  // Down from the top, each at its line or below the one before; then back up from the bottom where they ran out of room.
  let ceiling = top + line / 2;
  for (const i of kept) {
    placed[i] = Math.max(at[i]!, ceiling);
    ceiling = placed[i]! + line;
  }
  let floor = bottom - line / 2;
  for (const i of kept.toReversed()) {
    placed[i] = Math.min(placed[i]!, floor);
    floor = placed[i]! - line;
  }
  return placed;
}

/** The name, cut with an ellipsis where it is wider than `most`. */
export function fitName(name: string, most: number, widthOf: (text: string) => number): string {
  if (widthOf(name) <= most) return name;
  let length = name.length;
  while (length > 1 && widthOf(`${name.slice(0, length)}…`) > most) length--;
  return `${name.slice(0, length)}…`;
}
