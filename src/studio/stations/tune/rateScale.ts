/** Powers of ten from `from` to `to`, both included where they are one. */
export function decades(from: number, to: number): number[] {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(`1e${first + i}`));
}

/** What the axis of losses shows: all that was measured, but an explosion only as far as one and a half times the first loss. */
export function lossSpan(points: readonly { loss: number }[]): [low: number, high: number] {
  const losses = points.map(({ loss }) => loss).filter(Number.isFinite);
  if (losses.length === 0) return [0, 1];
  const low = Math.min(...losses);
  const high = Math.min(Math.max(...losses), 1.5 * losses[0]!);
  const room = Math.max(0.05 * (high - low), 0.01);
  return [Math.max(0, low - room), Math.max(high, low) + room];
}
