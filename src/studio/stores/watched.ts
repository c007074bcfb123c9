/** Which dev rows stand in "Try it" and under "Watching" when a task is opened. */

/** A text longer than this pushes the panel out of the screen. */
const GOOD_LENGTH = 72;

interface Row {
  text: string;
  text2?: string | undefined;
  label: string;
}

/** A row to try, and up to `most` others to watch: every label in turn while there are any, short texts before long ones. */
export function pickExamples<R extends Row>(
  rows: readonly R[],
  most: number,
): { first: R | undefined; watched: R[] } {
  const isLong = ({ text, text2 }: R) => text.length + (text2?.length ?? 0) > GOOD_LENGTH;
  const [first, ...others] = [...rows].sort((a, b) => Number(isLong(a)) - Number(isLong(b)));
  const watched: R[] = [];
  while (watched.length < Math.min(most, others.length)) {
    const times = (row: R) => watched.filter(({ label }) => label === row.label).length;
    const left = others.filter((row) => !watched.includes(row));
    watched.push(left.reduce((best, row) => (times(row) < times(best) ? row : best)));
  }
  return { first, watched };
}
