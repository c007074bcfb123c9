import { expect, test } from 'vitest';
import {
  dotProduct,
  expectClose,
  finiteDifferences,
  randomValues,
  runKernels,
  testTensor,
} from '../testing.ts';
import { softCapGradient, softCapKernel, softCapReference } from './soft_cap.ts';

test.each([
  [1, 1],
  [5, 7],
  [33, 40],
])('%i x %i: forward and backward equal float64, far values too', async (rows, cols) => {
  const [x, y, dy, dx, dxPlus, addend] = ['x', 'y', 'dy', 'dx', 'dx+', 'addend'].map((name) =>
    testTensor(name, 'T', cols),
  );
  const xs = randomValues(rows * cols, 1, 4);
  if (rows > 1) xs[3] = 1e6;
  const dys = randomValues(rows * cols, 2);
  const adds = randomValues(rows * cols, 3);
  const [gotY, gotDx, gotSum] = await runKernels(
    [softCapKernel(x, y, 3), softCapKernel(x, dx, 3, { dy }), softCapKernel(x, dxPlus, 3, { dy, addend })],
    { T: rows },
    new Map([
      [x, xs],
      [dy, dys],
      [addend, adds],
    ]),
    [y, dx, dxPlus],
  );
  const gradient = softCapGradient(xs, dys, 3);
  expectClose(gotY, softCapReference(xs, 3), 1e-5);
  expectClose(gotDx, gradient, 1e-5);
  expectClose(
    gotSum,
    gradient.map((value, i) => value + adds[i]),
    1e-5,
  );
});

test('in place', async () => {
  const x = testTensor('x', 'T', 8);
  const xs = randomValues(5 * 8, 1, 4);
  const [got] = await runKernels([softCapKernel(x, x, 3)], { T: 5 }, new Map([[x, xs]]), [x]);
  expectClose(got, softCapReference(xs, 3), 1e-5);
});

test('the gradient formula agrees with finite differences', () => {
  const [xs, dys] = [randomValues(6, 1, 4), randomValues(6, 2)];
  const numeric = finiteDifferences((x) => dotProduct(softCapReference(x, 3), dys), xs);
  expectClose(softCapGradient(xs, dys, 3), numeric, 1e-7);
  expect(numeric.some((value) => Math.abs(value) > 0.1)).toBe(true);
});
