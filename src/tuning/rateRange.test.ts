import { describe, expect, test } from 'vitest';
import { hasDiverged, rateRamp, suggestRate } from './rateRange.ts';

/** Loss that falls as a sigmoid around `middle` (log10 of the rate) and explodes after `end`. */
const curve = (middle: number, end: number, noise = 0) =>
  rateRamp(1e-4, 1e2, 60).map((rate, i) => {
    const x = Math.log10(rate);
    const fall = 1 / (1 + Math.exp(-4 * (x - middle)));
    const rise = Math.exp(5 * Math.max(0, x - end)) - 1;
    return { rate, loss: 2 - 1.5 * fall + rise + noise * Math.sin(7 * i) };
  });

test('the ramp goes from end to end by one factor', () => {
  const ramp = rateRamp(1e-3, 10, 5);
  expect(ramp).toHaveLength(5);
  [1e-3, 1e-2, 0.1, 1, 10].forEach((rate, i) => {
    expect(ramp[i]).toBeCloseTo(rate, 10);
  });
});

describe('suggestion', () => {
  test.each([
    [-1, 1],
    [-2, 0],
    [0, 1.5],
  ])('a third of where the loss leaps: it falls around 10^%d, and leaps after 10^%d', (middle, end) => {
    const { rate, edge } = suggestRate(curve(middle, end, 0.02));
    expect(Math.log10(edge!) - end).toBeGreaterThan(0);
    expect(Math.log10(edge!) - end).toBeLessThan(0.4);
    expect(rate! / edge!).toBeCloseTo(1 / 3, 1);
  });

  test('the lowest point where it never leaps', () => {
    const points = curve(-1, 9).map((point, i) =>
      i > 45 ? { ...point, loss: point.loss + 0.002 * (i - 45) } : point,
    );
    const { rate, edge } = suggestRate(points);
    expect(edge).toBeUndefined();
    // The mean lags behind by a point or two.
    expect(Math.abs(Math.log10(rate! / points[45]!.rate))).toBeLessThan(0.4);
  });

  test('none where the loss does not fall', () => {
    expect(
      suggestRate(rateRamp(1e-3, 1, 20).map((rate, i) => ({ rate, loss: 1 + i / 10 }))).rate,
    ).toBeUndefined();
    expect(
      suggestRate(rateRamp(1e-3, 1, 20).map((rate, i) => ({ rate, loss: 1 + 0.005 * Math.sin(i) }))).rate,
    ).toBeUndefined();
    expect(suggestRate([]).rate).toBeUndefined();
  });

  test('is not moved by a single leap', () => {
    const points = curve(-1, 1);
    const leaping = points.map((point, i) => (i === 20 ? { ...point, loss: 9 } : point));
    expect(suggestRate(leaping).rate! / suggestRate(points).rate!).toBeCloseTo(1, 0);
  });

  test('what is not finite is passed over', () => {
    const points = curve(-1, 9).map((point, i) => (i > 55 ? { ...point, loss: Number.NaN } : point));
    expect(suggestRate(points).edge).toBe(points[56]!.rate);
  });
});

test('a sweep ends where the loss stays above four times the lowest, or is no number', () => {
  const ends = (...losses: number[]) => hasDiverged(losses.map((loss, i) => ({ rate: i + 1, loss })));
  expect(ends()).toBe(false);
  expect(ends(1, 5, 5)).toBe(false);
  expect(ends(1, 5, 3.9, 5)).toBe(false);
  expect(ends(1, 5, 5, 5)).toBe(true);
  expect(ends(1, Number.NaN, Number.POSITIVE_INFINITY, 9)).toBe(true);
});
