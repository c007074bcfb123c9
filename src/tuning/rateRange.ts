/**
 * The learning-rate range test (Smith 2017, "Cyclical learning rates for training neural networks", section 3.3): steps whose
 * rate grows exponentially, and what their losses say. A soft prompt learns slowly at first whatever the rate, so that the
 * steepest fall says little; what the curve shows well is where it leaps. The suggestion is Bengio's rule (2012, "Practical
 * recommendations for gradient-based training of deep architectures"): the best rate is close to the largest one that does not
 * diverge; go down by three from there.
 */

export interface RatePoint {
  rate: number;
  /** On the same rows, after the update that was made with this rate. */
  loss: number;
}

export interface RateSuggestion {
  /** A third of the edge; where the loss never leaps, the rate of its lowest point. Undefined where the loss does not fall. */
  rate?: number;
  /** The first rate at which the smoothed loss leaps above what it was. */
  edge?: number;
  /** Loss after smoothing, one for each point whose loss is finite. */
  smoothed: number[];
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
/** A rise by this share of the first loss, above the lowest so far, is a leap. */
const LEAP = 0.2;
const BELOW_EDGE = 3;

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

/** Reads a sweep. */
export function suggestRate(points: readonly RatePoint[]): RateSuggestion {
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const smoothed = smooth(finite.map(({ loss }) => loss));
  if (smoothed.length === 0) return { smoothed };
  const first = smoothed[0];
  let lowest = 0;
  let leap: number | undefined;
  for (let i = 1; i < smoothed.length && leap === undefined; i++) {
    if (smoothed[i] < smoothed[lowest]) lowest = i;
    else if (smoothed[i] > smoothed[lowest] + LEAP * Math.abs(first)) leap = i;
  }
  // Losses that are no number end a sweep like a leap.
  const edge =
    leap !== undefined ? finite[leap].rate : points.find(({ loss }) => !Number.isFinite(loss))?.rate;
  if (first - smoothed[lowest] < LEAST_FALL * Math.abs(first)) return { smoothed, edge };
  return { smoothed, edge, rate: rounded(edge === undefined ? finite[lowest].rate : edge / BELOW_EDGE) };
}

/** Two digits are all that such a test can say. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}
