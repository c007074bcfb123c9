import { expect, test } from 'vitest';
import { randomValues, recordingBuilder, runKernels, testTensor } from '../testing.ts';
import { recordBackward } from '../testing_backward.ts';
import { add } from './add.ts';

const traits = { rowLanes: 1 };

test.each([
  [1, 1],
  [3, 7],
  [67, 40],
  // More than 65,535 workgroups: the grid folds.
  [70_000, 61],
])('%i x %i', async (rows, cols) => {
  const [x, y] = ['x', 'y'].map((name) => testTensor(name, 'T', cols));
  const b = recordingBuilder(traits);
  const z = add(b, x, y);
  const xs = randomValues(rows * cols, 1);
  const ys = randomValues(rows * cols, 2);
  const [got] = await runKernels(
    b.nodes[0].kernels,
    { T: rows },
    new Map([
      [x, xs],
      [y, ys],
    ]),
    [z],
  );
  expect(got.findIndex((v, i) => v !== Math.fround(xs[i] + ys[i]))).toBe(-1);
});

test('passes its gradient to both', () => {
  const [x, y, dz] = ['x', 'y', 'dz'].map((name) => testTensor(name, 'T', 4));
  const b = recordingBuilder(traits);
  const z = add(b, x, y);
  const back = recordBackward(traits, b.nodes, [[z, dz]], (t) => t !== y);
  expect(back.grad(x)).toBe(dz);
  expect(back.grad(y)).toBeUndefined();
  expect(back.nodes).toEqual([]);
});

test('refuses different shapes', () => {
  expect(() => add(recordingBuilder(traits), testTensor('x', 'T', 4), testTensor('y', 'T', 5))).toThrow(
    'differ',
  );
});
