import { expect, test } from 'vitest';
import { curvesSvg } from './curves.ts';

test('a picture has a place for every point of every curve', () => {
  const points = [1, 5, 20].map((x) => ({
    x,
    step_ms: 100 * x,
    ceiling_share: 0.8,
    peak_bytes: x * 2 ** 20,
    lower_bound_bytes: x * 2 ** 19,
    needed_gflop: x,
  }));
  const svg = curvesSvg({
    adapter: 'a device',
    date: '2026-11-23',
    curves: { prompt: points, depth: points },
  });
  expect(svg.match(/<circle/g)).toHaveLength(12);
  expect(svg.match(/class="bound" points/g)).toHaveLength(4);
  // The step of twenty is the highest point, at the right.
  expect(svg).toContain('<title>20: 2</title>');
  expect(svg).not.toMatch(/NaN|undefined/);
});
