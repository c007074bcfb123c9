import { randomInteger, seededRandom } from './random.ts';

/** The answer that is none of the labels, as free decoding may give. */
export const NO_LABEL = -1;

export interface ClassMetrics {
  label: string;
  /** How many examples have this label, and how many answers named it. */
  support: number;
  predicted: number;
  /** 0 where nothing was predicted or nothing is there, as scikit-learn's `zero_division=0`. */
  precision: number;
  recall: number;
  f1: number;
}

export interface Evaluation {
  labels: string[];
  count: number;
  correct: number;
  /** correct / count; 0 for no examples. */
  accuracy: number;
  /** 95 % Wilson interval of the accuracy. */
  interval: Interval;
  /** Mean of the F1 of all labels that have examples or answers. */
  macroF1: number;
  classes: ClassMetrics[];
  /** [labels][labels + 1]: rows are the truth, columns the answers; the last column counts answers that are no label. */
  confusion: number[][];
}

export interface Interval {
  low: number;
  high: number;
}

/** Everything that the Results station shows. `truth` and `predicted`: indices into `labels`, or `NO_LABEL` for an answer. */
export function evaluate(
  labels: readonly string[],
  truth: readonly number[],
  predicted: readonly number[],
): Evaluation {
  const confusion = confusionMatrix(labels.length, truth, predicted);
  const correct = labels.reduce((sum, _, k) => sum + confusion[k]![k]!, 0);
  const classes = labels.map((label, k): ClassMetrics => {
    const hits = confusion[k]![k]!;
    const support = confusion[k]!.reduce((sum, n) => sum + n, 0);
    const named = confusion.reduce((sum, row) => sum + row[k]!, 0);
    const precision = ratio(hits, named);
    const recall = ratio(hits, support);
    return { label, support, predicted: named, precision, recall, f1: ratio(2 * hits, named + support) };
  });
  const counted = classes.filter((entry) => entry.support + entry.predicted > 0);
  return {
    labels: labels.slice(),
    count: truth.length,
    correct,
    accuracy: ratio(correct, truth.length),
    interval: wilsonInterval(correct, truth.length),
    macroF1: ratio(
      counted.reduce((sum, entry) => sum + entry.f1, 0),
      counted.length,
    ),
    classes,
    confusion,
  };
}

/** [classes][classes + 1] counts; the last column is for answers that are no label (any index outside 0 .. classes - 1). */
export function confusionMatrix(
  classes: number,
  truth: readonly number[],
  predicted: readonly number[],
): number[][] {
  checkPaired(truth, predicted);
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes + 1).fill(0));
  truth.forEach((label, i) => {
    const row = matrix[label];
    if (row === undefined)
      throw new RangeError(`example ${i} has label ${label}, but there are ${classes} labels`);
    const answer = predicted[i]!;
    const column = answer >= 0 && answer < classes ? answer : classes;
    row[column] = row[column]! + 1;
  });
  return matrix;
}

/** Share of answers that are right; 0 for no examples. */
export function accuracy(truth: readonly number[], predicted: readonly number[]): number {
  checkPaired(truth, predicted);
  return ratio(truth.filter((label, i) => label === predicted[i]).length, truth.length);
}

/** 97.5th percentile of the standard normal distribution. */
const Z95 = 1.959963984540054;

/**
 * 95 % score interval of a proportion (Wilson 1927): right for small counts and near 0 and 1, where the textbook interval fails.
 * For no examples: 0 to 1.
 */
export function wilsonInterval(correct: number, count: number): Interval {
  if (count === 0) return { low: 0, high: 1 };
  const p = correct / count;
  const z2 = Z95 * Z95;
  const centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const half = (Z95 / (1 + z2 / count)) * Math.sqrt((p * (1 - p)) / count + z2 / (4 * count * count));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** The most frequent label of a set (the lowest index of equals); undefined for an empty one. */
export function majorityClass(truth: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const label of truth) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0];
}

/** What always answering with the training part's most frequent label gets on another part: the least that learning must beat. */
export function majorityBaseline(
  train: readonly number[],
  test: readonly number[],
): { label: number; accuracy: number } | undefined {
  const label = majorityClass(train);
  return label === undefined
    ? undefined
    : { label, accuracy: accuracy(test, new Array<number>(test.length).fill(label)) };
}

export interface Comparison {
  /** Accuracy of the second minus that of the first. */
  difference: number;
  /** Examples that only the first, and that only the second got right. */
  onlyFirst: number;
  onlySecond: number;
  /** Probability of a split of the discordant examples at least as uneven if both were equally good (exact McNemar test). */
  p: number;
  /** 95 % percentile interval of the difference, by paired bootstrap. */
  interval: Interval;
}

/**
 * Whether one list of answers is better than another on the same examples: McNemar's test in its exact binomial form (McNemar
 * 1947; Dietterich 1998 recommends it for two classifiers and one test set), and a seeded paired bootstrap of the difference
 * (Efron and Tibshirani 1993).
 */
export function compare(
  truth: readonly number[],
  first: readonly number[],
  second: readonly number[],
  options: { seed?: number; samples?: number } = {},
): Comparison {
  checkPaired(truth, first);
  checkPaired(truth, second);
  const { seed = 0, samples = 2000 } = options;
  const gain = truth.map((label, i) => Number(second[i] === label) - Number(first[i] === label));
  const onlyFirst = gain.filter((g) => g < 0).length;
  const onlySecond = gain.filter((g) => g > 0).length;
  return {
    difference: ratio(onlySecond - onlyFirst, truth.length),
    onlyFirst,
    onlySecond,
    p: exactMcNemar(onlyFirst, onlySecond),
    interval: bootstrapMean(gain, samples, seed),
  };
}

/** Two-sided exact McNemar p: twice the lower tail of Binomial(b + c, 1/2) at min(b, c), at most 1. */
export function exactMcNemar(b: number, c: number): number {
  const n = b + c;
  let logTerm = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= Math.min(b, c); k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * tail);
}

function bootstrapMean(values: readonly number[], samples: number, seed: number): Interval {
  const n = values.length;
  if (n === 0) return { low: 0, high: 0 };
  const random = seededRandom(seed);
  const means = Float64Array.from({ length: samples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[randomInteger(random, n)]!;
    return sum / n;
  }).sort();
  const at = (quantile: number) => means[Math.min(samples - 1, Math.floor(quantile * samples))] ?? 0;
  return { low: at(0.025), high: at(0.975) };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function checkPaired(truth: readonly number[], predicted: readonly number[]): void {
  if (truth.length !== predicted.length)
    throw new RangeError(`${truth.length} examples, but ${predicted.length} answers`);
}
