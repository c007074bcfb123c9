/** Where the bars of the length histogram stand. Plain numbers, in units of the drawing. */
import type { TaskReport } from '../../../worker/protocol.ts';

export interface HistogramBar {
  /** Tokens: from, up to and including. */
  from: number;
  to: number;
  count: number;
  x: number;
  width: number;
  height: number;
  /** Share of the bar's width that lies beyond the limit: those rows are cut. */
  beyond: number;
}

export interface Histogram {
  bars: HistogramBar[];
  /** Where the cut stands, after the last token that is kept; undefined where it lies beyond every row by far. */
  limitX?: number;
  /** Values along the axis. */
  ticks: { x: number; value: number }[];
}

/** Bars over a drawing of `width` by `height`; the axis reaches the longest row, and the limit where it is not far beyond. */
export function layHistogram(
  { binWidth, counts }: Pick<TaskReport['lengths'], 'binWidth' | 'counts'>,
  limit: number,
  width: number,
  height: number,
): Histogram {
  const longest = Math.max(1, counts.length) * binWidth;
  const showsLimit = limit <= longest * 1.6;
  const end = showsLimit ? Math.max(longest, (limit + 1) * 1.02) : longest;
  const most = Math.max(1, ...counts);
  const at = (tokens: number) => (tokens / end) * width;
  const bars = counts.map((count, i): HistogramBar => {
    const from = i * binWidth;
    const to = from + binWidth;
    return {
      from,
      to: to - 1,
      count,
      x: at(from),
      width: at(to) - at(from),
      height: count === 0 ? 0 : Math.max(1, (count / most) * height),
      // `limit` tokens still fit: the cut begins at limit + 1.
      beyond: Math.max(0, Math.min(1, (to - Math.max(from, limit + 1)) / binWidth)),
    };
  });
  const step = tickStep(end);
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => ({
    value: i * step,
    x: at(i * step),
  }));
  return { bars, limitX: showsLimit ? at(limit + 1) : undefined, ticks };
}

/** A round step that gives four to eight ticks. */
function tickStep(end: number): number {
  const rough = end / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough) ?? 10 * power;
  return Math.max(1, step);
}
