/** Geometry of the map, without a canvas. */

export interface Bounds {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** What [n, 2] covers, with a margin; pairs that are no numbers count for nothing. */
export function boundsOf(...parts: ArrayLike<number>[]): Bounds {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const xy of parts)
    for (let i = 0; i + 1 < xy.length; i += 2) {
      const [x, y] = [xy[i]!, xy[i + 1]!];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x);
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y);
    }
  if (x0 > x1) return { x0: -1, x1: 1, y0: -1, y1: 1 };
  const margin = 0.06 * Math.max(x1 - x0, y1 - y0, 1e-6);
  return { x0: x0 - margin, x1: x1 + margin, y0: y0 - margin, y1: y1 + margin };
}

/** Brings a part of the plane nearer: `factor` 2 shows half of each side, around a place. */
export function zoomed(bounds: Bounds, factor: number, around: readonly [x: number, y: number]): Bounds {
  const width = (bounds.x1 - bounds.x0) / factor;
  const height = (bounds.y1 - bounds.y0) / factor;
  return {
    x0: around[0] - width / 2,
    x1: around[0] + width / 2,
    y0: around[1] - height / 2,
    y1: around[1] + height / 2,
  };
}

export interface View {
  /** Pixels of a place. */
  place(x: number, y: number): [number, number];
}

/** One scale for both axes, so that distances look as they are; the bounds lie in the middle. */
export function viewOf(bounds: Bounds, width: number, height: number): View {
  const scale = Math.min(width / (bounds.x1 - bounds.x0), height / (bounds.y1 - bounds.y0));
  const [cx, cy] = [(bounds.x0 + bounds.x1) / 2, (bounds.y0 + bounds.y1) / 2];
  return { place: (x, y) => [width / 2 + (x - cx) * scale, height / 2 - (y - cy) * scale] };
}

/** The point of [n, 2] nearest to a pixel, within `reach` pixels. */
export function pointAt(
  xy: ArrayLike<number>,
  view: View,
  pixel: readonly [x: number, y: number],
  reach: number,
): number | undefined {
  let found: number | undefined;
  let nearest = reach * reach;
  for (let i = 0; 2 * i < xy.length; i++) {
    const [x, y] = view.place(xy[2 * i]!, xy[2 * i + 1]!);
    const distance = (x - pixel[0]) ** 2 + (y - pixel[1]) ** 2;
    if (distance <= nearest) {
      nearest = distance;
      found = i;
    }
  }
  return found;
}

/** The middle of a list that need not be sorted. */
export function median(values: ArrayLike<number>): number {
  const sorted = Array.from(values).sort((a, b) => a - b);
  const half = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!;
}

/** The word that a person means: the same letters, else the first that begins so. */
export function findWord(words: readonly string[], asked: string): number | undefined {
  const wanted = asked.trim().toLowerCase();
  if (wanted === '') return undefined;
  const plain = words.map((word) => word.replace(/^[▁Ġ ]/, '').toLowerCase());
  const at = plain.indexOf(wanted);
  const found = at >= 0 ? at : plain.findIndex((word) => word.startsWith(wanted));
  return found >= 0 ? found : undefined;
}
