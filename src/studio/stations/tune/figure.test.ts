import { expect, test } from 'vitest';
import { type Figure, figureRows, figureSvg, stepTicks } from './figure.ts';

const figure: Figure = {
  title: 'Accuracy on dev',
  lines: [
    {
      id: 'a',
      name: 'a & <b>',
      warm: true,
      points: [
        [0, 0.5],
        [100, 1],
      ],
    },
    {
      id: 'b',
      name: 'b',
      warm: false,
      points: [
        [50, 0.6],
        [100, Number.NaN],
      ],
    },
    { id: 'a each', name: 'a', warm: true, faint: true, points: [[0, 0.4]] },
  ],
  flats: [{ name: 'always “fact”', value: 0.5 }],
  bands: [
    {
      id: 'x',
      warm: true,
      points: [
        [0, 0.4, 0.6],
        [100, 0.8, 1],
      ],
    },
  ],
  xMax: 100,
  range: [0, 1],
  format: (value) => `${Math.round(value * 100)}%`,
};

test('the numbers have a row per step and a column per run and dashed line', () => {
  expect(figureRows(figure)).toEqual([
    ['step', 'a & <b>', 'b', 'always “fact”'],
    [0, 0.5, null, 0.5],
    [50, null, 0.6, 0.5],
    [100, 1, Number.NaN, 0.5],
  ]);
});

test('the picture draws lines, band and dashed line where the numbers are, names escaped', () => {
  const svg = figureSvg(figure);
  expect(svg).toContain('<title>a &amp; &lt;b&gt;</title>');
  // 0.5 of [0, 1] at step 0, and 1 at the last step: left middle to right top.
  expect(svg).toContain('d="M64 210L610 44"');
  expect(svg).toContain('stroke-dasharray');
  expect(svg).toContain('opacity="0.2"');
  expect(svg).not.toContain('NaN');
});

test.each([
  [4, [0, 1, 2, 3, 4]],
  [40, [0, 10, 20, 30, 40]],
  [300, [0, 100, 200, 300]],
  [30_000, [0, 10_000, 20_000, 30_000]],
  [1, [0, 1]],
])('steps up to %d are counted %j', (xMax, ticks) => {
  expect(stepTicks(xMax)).toEqual(ticks);
});
