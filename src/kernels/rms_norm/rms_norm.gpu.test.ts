import { describe, expect, test } from 'vitest';
import {
  allTraits,
  dotProduct,
  expectClose,
  finiteDifferences,
  randomValues,
  runKernels,
  testGpu,
  testTensor,
  withSubgroups,
} from '../testing.ts';
import { rmsNormBackward, rmsNormForward, rmsNormGradient, rmsNormReference } from './rms_norm.ts';

const EPS = 1e-6;

describe.each([...allTraits, withSubgroups])('rms_norm, %s', (_, traits) => {
  test.each([
    [1, 1],
    [3, 7],
    [5, 64],
    [67, 40],
    [13, 131],
  ])('%i x %i: forward and backward equal float64', async (rows, cols) => {
    if (traits.subgroups && !(await testGpu()).features.subgroups) return;
    const x = testTensor('x', 'T', cols);
    const weight = testTensor('weight', 1, cols, 'weight');
    const [y, dy, dx, dxPlus, addend] = ['y', 'dy', 'dx', 'dx+', 'addend'].map((name) =>
      testTensor(name, 'T', cols),
    );
    const xs = randomValues(rows * cols, 1, 3);
    const ws = randomValues(cols, 2);
    const dys = randomValues(rows * cols, 3);
    const adds = randomValues(rows * cols, 4);
    const [gotY, gotDx, gotSum] = await runKernels(
      [
        rmsNormForward(traits, x, weight, y, EPS),
        rmsNormBackward(traits, x, weight, dy, dx, EPS),
        rmsNormBackward(traits, x, weight, dy, dxPlus, EPS, addend),
      ],
      { T: rows },
      new Map([
        [x, xs],
        [weight, ws],
        [dy, dys],
        [addend, adds],
      ]),
      [y, dx, dxPlus],
    );
    expectClose(gotY, rmsNormReference(xs, ws, cols, EPS), 1e-6);
    const gradient = rmsNormGradient(xs, ws, dys, cols, EPS);
    // With one column y is nearly constant in x: the exact gradient is a rounding error of its terms.
    if (cols > 1) expectClose(gotDx, gradient, 1e-5);
    expectClose(
      gotSum,
      gradient.map((v, i) => v + adds[i]),
      1e-5,
    );
  });
});

test('the gradient formula agrees with finite differences', () => {
  const [rows, cols] = [2, 5];
  const xs = randomValues(rows * cols, 5);
  const ws = randomValues(cols, 6);
  const dys = randomValues(rows * cols, 7);
  const numeric = finiteDifferences((x) => dotProduct(rmsNormReference(x, ws, cols, EPS), dys), xs);
  expectClose(rmsNormGradient(xs, ws, dys, cols, EPS), numeric, 1e-7);
  expect(numeric.some((v) => Math.abs(v) > 0.1)).toBe(true);
});
