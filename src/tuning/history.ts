/** A prompt on its way: a few of a run's steps, kept to look back at. */
export interface PromptSnapshot {
  step: number;
  /** [P, d] */
  values: Float32Array<ArrayBuffer>;
}

/** Snapshots of a run at most, and bytes that they may take together. */
const MOST = 60;
const BYTES = 4e6;
/** So many are kept of the largest prompt too: fewer are no way. */
const LEAST = 8;

/** How many snapshots of [length, width] a run keeps. */
export const snapshotLimit = (length: number, width: number): number =>
  Math.max(LEAST, Math.min(MOST, Math.floor(BYTES / (4 * length * width))));

/**
 * A history with one snapshot more; where that is more than `limit` (at least 3), the one whose neighbours lie closest together
 * goes, never the first or the last: what stays is spread evenly over the steps, however many come.
 * @param history in the order of the steps; snapshots of `snapshot.step` and later are replaced
 * @returns the new history, and what went from it
 */
export function addSnapshot(
  history: readonly PromptSnapshot[],
  snapshot: PromptSnapshot,
  limit: number,
): { history: PromptSnapshot[]; dropped: PromptSnapshot[] } {
  const kept = [...history.filter(({ step }) => step < snapshot.step), snapshot];
  const dropped = history.filter(({ step }) => step > snapshot.step);
  while (kept.length > Math.max(3, limit)) {
    const gap = (at: number) => kept[at + 1]!.step - kept[at - 1]!.step;
    let closest = 1;
    for (let at = 2; at < kept.length - 1; at++) if (gap(at) < gap(closest)) closest = at;
    dropped.push(...kept.splice(closest, 1));
  }
  return { history: kept, dropped };
}
