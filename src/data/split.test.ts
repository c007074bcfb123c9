import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  combineSplits,
  DEFAULT_SPLIT,
  type Example,
  labelCounts,
  type Splits,
  seededRandom,
  shuffle,
  split,
  splitOrdered,
} from './index.ts';

const make = (labels: readonly string[]): Example[] =>
  labels.map((label, row) => ({ row, text: `t${row}`, label }));
const all = (splits: Splits) => [...splits.train, ...splits.dev, ...splits.test].sort((a, b) => a - b);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('seeded random numbers', () => {
  it('are the same for a seed and others for another', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    const streams = [0, 1, 2, -1, 0.5, 2 ** 32, 2 ** 40].map((seed) => draw(seed).join());
    expect(new Set(streams).size).toBe(streams.length);
  });

  it('never change between editions: saved recipes must repeat', () => {
    const random = seededRandom(42);
    expect([random(), random(), random()].map((x) => Math.round(x * 2 ** 32))).toEqual([
      1368806941, 885028057, 88314019,
    ]);
  });

  it('are spread evenly', () => {
    const random = seededRandom(1);
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 160_000; i++) bins[Math.floor(random() * 16)]!++;
    // Chi-squared with 15 degrees of freedom: 37.7 is passed once in a thousand seeds.
    expect(bins.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(37.7);
  });

  it('shuffle every order equally often and lose nothing', () => {
    const random = seededRandom(5);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffle(['a', 'b', 'c'], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });
});

describe('split', () => {
  const labels = fc.array(fc.constantFrom('a', 'a', 'a', 'b', 'b', 'c'), { minLength: 1, maxLength: 200 });
  const shares = fc.constantFrom(
    [0.7, 0.15, 0.15],
    [0.8, 0.1, 0.1],
    [0.5, 0.5, 0],
    [0.9, 0, 0.1],
    [0.34, 0.33, 0.33],
  );

  it('is complete, disjoint, stratified and deterministic for any labels', () => {
    fc.assert(
      fc.property(labels, shares, fc.integer(), (list, [train, dev, test], seed) => {
        const examples = make(list);
        const options = { train: train!, dev: dev!, test: test!, seed };
        const result = split(examples, options);
        expect(all(result)).toEqual(range(list.length));
        expect(split(examples, options)).toEqual(result);
        for (const { label, count } of labelCounts(examples)) {
          const inPart = (part: number[]) => part.filter((i) => examples[i]!.label === label).length;
          expect(inPart(result.train)).toBeGreaterThan(0);
          for (const part of ['train', 'dev', 'test'] as const) {
            const share = options[part];
            if (count >= 3 && share > 0) expect(inPart(result[part])).toBeGreaterThan(0);
            // Rounding and what is owed from other labels, in two parts at worst.
            expect(Math.abs(inPart(result[part]) - share * count)).toBeLessThanOrEqual(3);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has the right sizes as a whole with many labels', () => {
    const examples = make(range(900).map((i) => `class ${i % 6}`));
    const { train, dev, test } = split(examples, DEFAULT_SPLIT);
    expect([train.length, dev.length, test.length]).toEqual([630, 135, 135]);
    for (const { count } of labelCounts(test.map((i) => examples[i]!)))
      expect(Math.abs(count - 22.5)).toBeLessThanOrEqual(1);
  });

  it('does not rob a large label for many tiny ones', () => {
    const examples = make([...range(120).map((i) => `tiny ${i % 40}`), ...range(100).map(() => 'large')]);
    const { test } = split(examples, DEFAULT_SPLIT);
    expect(test.filter((i) => examples[i]!.label === 'large').length).toBeGreaterThanOrEqual(13);
  });

  it('depends on the seed, and leaves out what shares leave', () => {
    const examples = make(range(100).map((i) => (i % 2 ? 'a' : 'b')));
    expect(split(examples, { ...DEFAULT_SPLIT, seed: 1 })).not.toEqual(
      split(examples, { ...DEFAULT_SPLIT, seed: 2 }),
    );
    const few = split(examples, { train: 0.2, dev: 0.1, test: 0.1, seed: 0 });
    expect([few.train.length, few.dev.length, few.test.length]).toEqual([20, 10, 10]);
  });

  it.each([
    [0, 0.5, 0.5],
    [0.9, 0.2, 0.1],
    [1, -0.1, 0.1],
    [Number.NaN, 0, 0],
  ])('refuses shares %d / %d / %d', (train, dev, test) => {
    expect(() => split(make(['a', 'b']), { train, dev, test, seed: 0 })).toThrow(
      expect.objectContaining({ code: 'bad-recipe' }),
    );
  });
});

describe('splitOrdered', () => {
  it('takes the last floor(n / 4) rows as test, as the reference recipe does', () => {
    for (const n of [4, 7, 400, 901]) {
      const examples = make(range(n).map((i) => (i % 2 ? 'a' : 'b')));
      const { train, dev, test } = splitOrdered(examples, { dev: 0 });
      const cut = n - Math.floor(n / 4);
      expect(test).toEqual(range(n).slice(cut));
      expect(train).toEqual(range(cut));
      expect(dev).toEqual([]);
    }
  });

  it('carves a stratified dev part out of the rest', () => {
    const examples = make(range(400).map((i) => (i % 2 ? 'a' : 'b')));
    const result = splitOrdered(examples, { dev: 0.1, seed: 4 });
    expect(result.dev).toHaveLength(30);
    expect(labelCounts(result.dev.map((i) => examples[i]!)).map((c) => c.count)).toEqual([15, 15]);
    expect(all(result)).toEqual(range(400));
  });
});

it('combineSplits keeps own files apart', () => {
  const { examples, splits } = combineSplits(make(['a', 'b', 'a']), undefined, make(['b', 'a']));
  expect(examples.map((e) => e.label)).toEqual(['a', 'b', 'a', 'b', 'a']);
  expect(splits).toEqual({ train: [0, 1, 2], dev: [], test: [3, 4] });
});
