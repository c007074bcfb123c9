import { PreludeError } from '../errors.ts';
import { seededRandom, shuffle } from './random.ts';
import type { Example, Splits } from './types.ts';

/** Shares of the examples in each part, 0 to 1, together at most 1 (what is missing to 1 is left out), and the seed. */
export interface SplitOptions {
  train: number;
  dev: number;
  test: number;
  seed: number;
}

/** 70 % to learn from, 15 % to choose the checkpoint by, 15 % never seen until the end. */
export const DEFAULT_SPLIT: SplitOptions = { train: 0.7, dev: 0.15, test: 0.15, seed: 0 };

/**
 * Splits at random but stratified: every part has each label in about the proportion of the whole. A label of three examples or
 * more is in every part whose share is not 0; with fewer, training comes first. The same seed gives the same split.
 *
 * @throws PreludeError 'bad-recipe' for shares that are negative or above 1 together, or no share to train on.
 */
export function split(examples: readonly Example[], options: SplitOptions = DEFAULT_SPLIT): Splits {
  const { train, dev, test, seed } = options;
  const sum = train + dev + test;
  if (!(train > 0 && dev >= 0 && test >= 0 && sum <= 1 + 1e-9))
    throw new PreludeError('bad-recipe', `The data cannot be split ${train} / ${dev} / ${test}.`, {
      remedy: 'Choose shares of 0 to 1 that come to 1 together, with some rows to train on.',
    });
  const result: Splits = { train: [], dev: [], test: [] };
  const random = seededRandom(seed);
  // What rounding took from one label is given back at the next, so that the parts' sizes are right as a whole.
  const owed = { dev: 0, test: 0, unused: 0 };
  const unused = Math.max(0, 1 - sum);
  for (const group of byLabel(examples)) {
    const members = shuffle(group, random);
    const n = members.length;
    const take = (part: keyof typeof owed, share: number, left: number): number => {
      const exact = n * share + owed[part];
      const least = share > 0 && n >= 3 && part !== 'unused' ? 1 : 0;
      const count = Math.max(least, Math.min(Math.round(exact), left));
      // At most one row is owed, or many tiny labels would rob a large one.
      owed[part] = Math.max(-1, Math.min(1, exact - count));
      return count;
    };
    // One always stays to train on, and one for dev while test is dealt.
    const forTest = take('test', test, n - 1 - (dev > 0 && n >= 3 ? 1 : 0));
    const forDev = take('dev', dev, n - 1 - forTest);
    const forNone = unused > 1e-9 ? take('unused', unused, n - 1 - forTest - forDev) : 0;
    result.test.push(...members.slice(0, forTest));
    result.dev.push(...members.slice(forTest, forTest + forDev));
    result.train.push(...members.slice(forTest + forDev + forNone));
  }
  return sorted(result);
}

export interface OrderedSplitOptions {
  /** Share of the examples at the end that are the test part. */
  test?: number;
  /** Share of the rest that is carved out as dev part, stratified; 0 for none. */
  dev?: number;
  /** For carving out the dev part. */
  seed?: number;
}

/**
 * The split of the reference recipe for files that are shuffled already: the last floor(n / 4) rows are the test part
 * (nano-t5's `evaluate.py`: `rows[:-(len(rows) // 4)]`), and a dev part is carved out of the others.
 */
export function splitOrdered(examples: readonly Example[], options: OrderedSplitOptions = {}): Splits {
  const { test = 0.25, dev = 0.15, seed = 0 } = options;
  const cut = examples.length - Math.floor(examples.length * test + 1e-9);
  const before = split(examples.slice(0, cut), { train: 1 - dev, dev, test: 0, seed });
  return { ...before, test: Array.from({ length: examples.length - cut }, (_, i) => cut + i) };
}

/** Indices of each label's examples, in the order in which the labels first appear. */
function byLabel(examples: readonly Example[]): number[][] {
  const groups = new Map<string, number[]>();
  examples.forEach(({ label }, index) => {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}

function sorted(splits: Splits): Splits {
  for (const part of [splits.train, splits.dev, splits.test]) part.sort((a, b) => a - b);
  return splits;
}
