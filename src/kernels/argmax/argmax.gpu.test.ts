import { describe, expect, test } from 'vitest';
import { allTraits, randomValues, runKernels, testTensor } from '../testing.ts';
import { argmaxKernel } from './argmax.ts';

describe.each(allTraits)('argmax, %s', (_, traits) => {
  test.each([
    [1, 1],
    [5, 7],
    [3, 131],
    [67, 1000],
  ])('%i x %i', async (rows, cols) => {
    const x = testTensor('x', 'N', cols);
    const index = testTensor('index', 'N', 1, 'input', 'u32');
    const values = randomValues(rows * cols, rows);
    // Ties: the first of equals wins, wherever the lanes start.
    if (cols > 6) values.set([50, 1, 50], 2);
    const [got] = await runKernels([argmaxKernel(traits, x, index)], { N: rows }, new Map([[x, values]]), [
      index,
    ]);
    const expected = Array.from({ length: rows }, (_, r) => {
      const row = [...values.subarray(r * cols, (r + 1) * cols)];
      return row.indexOf(Math.max(...row));
    });
    expect([...new Uint32Array(got.buffer)]).toEqual(expected);
  });

  test('negative rows and the largest magnitudes', async () => {
    const x = testTensor('x', 'N', 3);
    const index = testTensor('index', 'N', 1, 'input', 'u32');
    const [got] = await runKernels(
      [argmaxKernel(traits, x, index)],
      { N: 2 },
      new Map([[x, Float32Array.of(-3e38, -2e38, -2.5e38, -5, -4, -9)]]),
      [index],
    );
    expect([...new Uint32Array(got.buffer)]).toEqual([1, 1]);
  });
});
