/** Prompt length on a bent track: the short lengths, where it matters most, get more of it. */
const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 150];

export const LONGEST_TRACK = LENGTHS.length - 1;

/** Place of a length on the track; between two stops in proportion. */
export function lengthToTrack(length: number): number {
  const above = LENGTHS.findIndex((stop) => stop >= length);
  if (above <= 0) return 0;
  const [low, high] = [LENGTHS[above - 1]!, LENGTHS[above]!];
  return above - 1 + (length - low) / (high - low);
}

/** The length at a place on the track. */
export function trackToLength(position: number): number {
  const low = Math.max(0, Math.min(LENGTHS.length - 1, Math.floor(position)));
  const high = Math.min(LENGTHS.length - 1, low + 1);
  return Math.round(LENGTHS[low]! + (position - low) * (LENGTHS[high]! - LENGTHS[low]!));
}

/** How many values the dialog shows for this recipe. */
export function settingCount(recipe: object): number {
  return Object.values(recipe).reduce<number>(
    (count, value) => count + (typeof value === 'object' && value !== null ? settingCount(value) : 1),
    0,
  );
}
