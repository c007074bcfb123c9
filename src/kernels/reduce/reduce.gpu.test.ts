import { describe, expect, test } from 'vitest';
import { f32, u32 } from '../kernel.ts';
import {
  allTraits,
  expectClose,
  randomValues,
  recordingBuilder,
  runKernels,
  testGpu,
  testTensor,
  withSubgroups,
} from '../testing.ts';
import { rowNorms, rowSquaresReference, sumKernel, sumSquares } from './reduce.ts';

describe.each([...allTraits, withSubgroups])('reduce, %s', (_, traits) => {
  test.each([
    [1, 1],
    [3, 7],
    [67, 40],
    [130, 131],
  ])('%i x %i: sums of squares and row norms equal float64', async (rows, cols) => {
    if (traits.subgroups && !(await testGpu()).features.subgroups) return;
    const x = testTensor('x', 'P', cols);
    const start = testTensor('start', 'P', cols);
    const out = testTensor('out', 1, 4, 'state');
    const [norms, moved] = ['norms', 'moved'].map((name) => testTensor(name, 'P', 1, 'state'));
    const b = recordingBuilder(traits);
    sumSquares(b, x, out, 2);
    sumSquares(b, x, out, 0, { first: 'from', count: 'count' });
    rowNorms(b, x, norms);
    rowNorms(b, x, moved, start);
    const xs = randomValues(rows * cols, 1, 3);
    const starts = randomValues(rows * cols, 2, 3);
    const [first, count] = rows === 1 ? [0, 1] : [1, rows - 2];
    const [gotOut, gotNorms, gotMoved] = await runKernels(
      b.nodes.flatMap((n) => n.kernels),
      { P: rows, from: first, count },
      new Map([
        [x, xs],
        [start, starts],
        [out, Float32Array.of(9, 9, 9, 9)],
      ]),
      [out, norms, moved],
    );
    const squares = rowSquaresReference(xs, cols);
    const total = (values: Float64Array) => values.reduce((a, v) => a + v, 0);
    expectClose(gotOut, [total(squares.slice(first, first + count)), 9, total(squares), 9], 1e-6);
    expectClose(gotNorms, squares.map(Math.sqrt), 1e-6);
    expectClose(gotMoved, rowSquaresReference(xs, cols, starts).map(Math.sqrt), 1e-6);
  });

  test('a sum is scaled and accumulated as the batch says', async () => {
    const x = testTensor('x', 'E', 1);
    const out = testTensor('out', 1, 2);
    const kernel = sumKernel(traits, x, out, { slot: 1, scale: f32('half'), accumulate: u32('accumulate') });
    const xs = randomValues(200, 1);
    const sum = xs.reduce((a, v) => a + v, 0);
    for (const accumulate of [0, 1]) {
      const [got] = await runKernels(
        [kernel],
        { E: 200, half: 0.5, accumulate },
        new Map([
          [x, xs],
          [out, Float32Array.of(1, 2)],
        ]),
        [out],
      );
      expect(got[0]).toBe(1);
      expect(got[1]).toBeCloseTo(sum / 2 + 2 * accumulate, 4);
    }
  });
});
