import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  compare,
  confusionMatrix,
  evaluate,
  exactMcNemar,
  majorityBaseline,
  majorityClass,
  NO_LABEL,
  wilsonInterval,
} from './index.ts';

describe('evaluate', () => {
  // By hand: a is right 2 of 3 times and named once too often (for c); b is right once, once no label; c never.
  const truth = [0, 0, 0, 1, 1, 2];
  const predicted = [0, 0, 1, 1, NO_LABEL, 0];

  it('agrees with a count by hand', () => {
    const result = evaluate(['a', 'b', 'c'], truth, predicted);
    expect(result.confusion).toEqual([
      [2, 1, 0, 0],
      [0, 1, 0, 1],
      [1, 0, 0, 0],
    ]);
    expect(result).toMatchObject({ count: 6, correct: 3, accuracy: 0.5 });
    const [a, b, c] = result.classes;
    expect(a).toMatchObject({ label: 'a', support: 3, predicted: 3 });
    expect([a!.precision, a!.recall, a!.f1]).toEqual([2 / 3, 2 / 3, 2 / 3]);
    expect([b!.precision, b!.recall, b!.f1]).toEqual([0.5, 0.5, 0.5]);
    expect([c!.precision, c!.recall, c!.f1, c!.support]).toEqual([0, 0, 0, 1]);
    expect(result.macroF1).toBeCloseTo(7 / 18, 12);
  });

  it('leaves labels that occur nowhere out of macro-F1', () => {
    expect(evaluate(['a', 'b', 'never'], [0, 1], [0, 1]).macroF1).toBe(1);
  });

  it('has numbers for no examples at all', () => {
    expect(evaluate(['a', 'b'], [], [])).toMatchObject({
      accuracy: 0,
      macroF1: 0,
      interval: { low: 0, high: 1 },
    });
  });

  it('holds for any answers: rows sum to support, the diagonal to the right ones', () => {
    const pairs = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: -1, max: 3 })), { maxLength: 60 });
    fc.assert(
      fc.property(pairs, (list) => {
        const t = list.map(([label]) => label);
        const p = list.map(([, answer]) => answer);
        const result = evaluate(['a', 'b', 'c', 'd'], t, p);
        expect(result.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(list.length);
        expect(result.accuracy).toBe(accuracy(t, p));
        expect(result.interval.low).toBeLessThanOrEqual(result.accuracy + 1e-12);
        expect(result.interval.high).toBeGreaterThanOrEqual(result.accuracy - 1e-12);
        for (const { precision, recall, f1 } of result.classes)
          if (precision + recall > 0)
            expect(f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
      }),
    );
  });

  it('refuses lists that do not belong together', () => {
    expect(() => accuracy([0], [])).toThrow(RangeError);
    expect(() => confusionMatrix(2, [2], [0])).toThrow('label 2');
  });
});

describe('Wilson interval', () => {
  // Wilson's formula worked out apart from this code, in Python.
  it.each([
    [8, 10, 0.4901625, 0.9433178],
    [3, 6, 0.1876166, 0.8123834],
    [0, 10, 0, 0.2775328],
    [10, 10, 0.7224672, 1],
  ])('%i of %i', (correct, count, low, high) => {
    const interval = wilsonInterval(correct, count);
    expect(interval.low).toBeCloseTo(low, 6);
    expect(interval.high).toBeCloseTo(high, 6);
  });
});

describe('majority class', () => {
  it('is learnt on one set and measured on another', () => {
    expect(majorityClass([2, 1, 1, 0])).toBe(1);
    expect(majorityClass([1, 0])).toBe(0);
    expect(majorityClass([])).toBeUndefined();
    expect(majorityBaseline([1, 1, 0], [0, 0, 0, 1])).toEqual({ label: 1, accuracy: 0.25 });
  });
});

describe('compare', () => {
  it.each([
    [1, 6, 0.125],
    [0, 10, 2 / 1024],
    [5, 5, 1],
    [0, 0, 1],
    [2, 4, 0.6875],
  ])('McNemar, %i against %i', (b, c, p) => {
    expect(exactMcNemar(b, c)).toBeCloseTo(p, 10);
    expect(exactMcNemar(c, b)).toBeCloseTo(p, 10);
  });

  it('stays finite for thousands of examples', () => {
    expect(exactMcNemar(2000, 2000)).toBe(1);
    expect(exactMcNemar(1900, 2100)).toBeGreaterThan(0.001);
    expect(exactMcNemar(1900, 2100)).toBeLessThan(0.002);
  });

  it('finds a clear gain, repeatably, and none between equals', () => {
    const truth = new Array<number>(200).fill(1);
    const weak = truth.map((_, i) => (i % 2 ? 1 : 0));
    const strong = truth.map((_, i) => (i % 10 ? 1 : 0));
    const gain = compare(truth, weak, strong, { seed: 3 });
    expect(gain).toMatchObject({ onlyFirst: 0, onlySecond: 80, difference: 0.4 });
    expect(gain.p).toBeLessThan(1e-20);
    expect(gain.interval.low).toBeGreaterThan(0.3);
    expect(gain.interval.high).toBeLessThan(0.5);
    expect(compare(truth, weak, strong, { seed: 3 })).toEqual(gain);
    expect(compare(truth, weak, weak)).toMatchObject({ difference: 0, p: 1, interval: { low: 0, high: 0 } });
  });
});
