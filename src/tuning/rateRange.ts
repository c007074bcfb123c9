/**
 * The learning-rate range test (Smith 2017, "Cyclical learning rates for training neural networks", section 3.3; the rules for
 * reading it are fastai's `lr_find`): steps whose rate grows exponentially, and what their losses say.
 */

export interface RatePoint {
  rate: number;
  /** On the same rows, after the update that was made with this rate. */
  loss: number;
}

export interface RateSuggestion {
  /** Where the smoothed loss falls steepest; undefined where it does not fall. */
  rate?: number;
  /** Loss after smoothing, one for each point whose loss is finite. */
  smoothed: number[];
  /** Index of its lowest point. */
  lowest: number;
}

/** `count` rates from `from` to `to`, each the same factor above the one before. */
export function rateRamp(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from * (to / from) ** (i / Math.max(1, count - 1)));
}

/** Weight of the past in the smoothed loss: the mean is over about the last three points. */
const MEMORY = 0.65;
/** A loss this many times the lowest one has left the range (fastai's rule), when it stays there for so many steps. */
const DIVERGED = 4;
const IN_A_ROW = 3;
/** A fall of less than this share of the first loss is noise. */
const LEAST_FALL = 0.02;
/** Points on each side that a slope is read from. */
const REACH = 3;

/** Whether a sweep may end here: everything after it will be worse. A single leap may come back, several in a row do not. */
export function hasDiverged(points: readonly RatePoint[]): boolean {
  const last = points.slice(-IN_A_ROW);
  if (last.length < IN_A_ROW) return false;
  const lowest = Math.min(...points.map(({ loss }) => loss).filter(Number.isFinite));
  return last.every(({ loss }) => !Number.isFinite(loss) || loss > DIVERGED * lowest);
}

/** Each loss is the middle one of it and its neighbours, so that one leap does not bend the line; then an exponential mean. */
function smooth(losses: readonly number[]): number[] {
  let mean = 0;
  let weight = 0;
  return losses
    .map((loss, i) => {
      const near = losses.slice(Math.max(0, i - 1), i + 2).sort((a, b) => a - b);
      return near.length < 3 ? loss : near[1];
    })
    .map((loss) => {
      mean = MEMORY * mean + (1 - MEMORY) * loss;
      weight = MEMORY * weight + (1 - MEMORY);
      return mean / weight;
    });
}

/**
 * The rate at which the loss falls fastest for each tenfold of the rate, before it is at its lowest.
 */
export function suggestRate(points: readonly RatePoint[]): RateSuggestion {
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const smoothed = smooth(finite.map(({ loss }) => loss));
  const lowest = smoothed.reduce((at, loss, i) => (loss < smoothed[at] ? i : at), 0);
  const fall = smoothed.length ? smoothed[0] - smoothed[lowest] : 0;
  if (lowest === 0 || fall < LEAST_FALL * Math.abs(smoothed[0])) return { smoothed, lowest };
  let steepest = 0;
  let rate: number | undefined;
  for (let i = 1; i < lowest; i++) {
    const a = Math.max(0, i - REACH);
    const b = Math.min(smoothed.length - 1, i + REACH);
    const slope = (smoothed[b] - smoothed[a]) / Math.log10(finite[b].rate / finite[a].rate);
    if (slope < steepest) {
      steepest = slope;
      rate = finite[i].rate;
    }
  }
  return { rate: rate === undefined ? undefined : rounded(rate), smoothed, lowest };
}

/** Two digits are all that such a test can say. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}
