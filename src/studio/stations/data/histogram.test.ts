import fc from 'fast-check';
import { expect, it } from 'vitest';
import { layHistogram } from './histogram.ts';

it('marks what the limit cuts, also within a bar', () => {
  const { bars, limitX } = layHistogram({ binWidth: 10, counts: [4, 8, 2] }, 14, 300, 100);
  expect(bars.map((bar) => bar.beyond)).toEqual([0, 0.5, 1]);
  expect(bars.map((bar) => bar.height)).toEqual([50, 100, 25]);
  expect(bars.map((bar) => [bar.from, bar.to])).toEqual([
    [0, 9],
    [10, 19],
    [20, 29],
  ]);
  expect(limitX).toBe(150);
});

it('leaves a far limit out of the picture', () => {
  const { limitX, bars } = layHistogram({ binWidth: 4, counts: [1, 1] }, 512, 100, 10);
  expect(limitX).toBeUndefined();
  expect(bars.every((bar) => bar.beyond === 0)).toBe(true);
});

it('stays inside the drawing', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 64 }),
      fc.array(fc.nat(10_000), { maxLength: 200 }),
      fc.integer({ min: 1, max: 2000 }),
      (binWidth, counts, limit) => {
        const { bars, ticks, limitX } = layHistogram({ binWidth, counts }, limit, 400, 90);
        for (const bar of bars) {
          expect(bar.x + bar.width).toBeLessThanOrEqual(400.001);
          expect(bar.height).toBeLessThanOrEqual(90);
          expect(bar.beyond).toBeGreaterThanOrEqual(0);
        }
        for (const tick of ticks) expect(tick.x).toBeLessThanOrEqual(400.001);
        expect(ticks.length).toBeLessThan(12);
        if (limitX !== undefined) expect(limitX).toBeLessThanOrEqual(400);
      },
    ),
  );
});
