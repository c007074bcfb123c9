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
import { layerNormBackward, layerNormForward, layerNormGradient, layerNormReference } from './layer_norm.ts';

const EPS = 1e-5;

describe.each([...allTraits, withSubgroups])('layer_norm, %s', (_, traits) => {
  test.each([
    [3, 7],
    [67, 40],
    [13, 131],
  ])('%i x %i: forward and backward equal float64', async (rows, cols) => {
    if (traits.subgroups && !(await testGpu()).features.subgroups) return;
    const x = testTensor('x', 'T', cols);
    const weight = testTensor('weight', 1, cols, 'weight');
    const bias = testTensor('bias', 1, cols, 'weight');
    const [y, dy, dx, dxPlus, addend] = ['y', 'dy', 'dx', 'dx+', 'addend'].map((name) =>
      testTensor(name, 'T', cols),
    );
    // Far from 0: the variance is a small difference of what would be large squares.
    const xs = randomValues(rows * cols, 1, 3).map((v) => v + 40);
    const [ws, bs] = [randomValues(cols, 2), randomValues(cols, 5)];
    const dys = randomValues(rows * cols, 3);
    const adds = randomValues(rows * cols, 4);
    const [gotY, gotDx, gotSum] = await runKernels(
      [
        layerNormForward(traits, x, { weight, bias }, y, EPS),
        layerNormBackward(traits, x, weight, dy, dx, EPS),
        layerNormBackward(traits, x, weight, dy, dxPlus, EPS, addend),
      ],
      { T: rows },
      new Map([
        [x, xs],
        [weight, ws],
        [bias, bs],
        [dy, dys],
        [addend, adds],
      ]),
      [y, dx, dxPlus],
    );
    expectClose(gotY, layerNormReference(xs, ws, bs, cols, EPS), 5e-6);
    const gradient = layerNormGradient(xs, ws, dys, cols, EPS);
    expectClose(gotDx, gradient, 2e-5);
    expectClose(
      gotSum,
      gradient.map((v, i) => v + adds[i]),
      2e-5,
    );
  });
});

test('the gradient formula agrees with finite differences', () => {
  const [rows, cols] = [2, 5];
  const xs = randomValues(rows * cols, 5);
  const [ws, bs] = [randomValues(cols, 6), randomValues(cols, 8)];
  const dys = randomValues(rows * cols, 7);
  const numeric = finiteDifferences((x) => dotProduct(layerNormReference(x, ws, bs, cols, EPS), dys), xs);
  expectClose(layerNormGradient(xs, ws, dys, cols, EPS), numeric, 1e-7);
  expect(numeric.some((v) => Math.abs(v) > 0.1)).toBe(true);
});
