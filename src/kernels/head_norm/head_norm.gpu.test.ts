import { describe, test } from 'vitest';
import { rmsNormGradient, rmsNormReference } from '../rms_norm/rms_norm.ts';
import {
  allTraits,
  expectClose,
  randomValues,
  runKernels,
  testGpu,
  testTensor,
  withSubgroups,
} from '../testing.ts';
import { type HeadGroups, headNormKernel } from './head_norm.ts';

const EPS = 1e-6;

/** Group by group with the reference of rms_norm; whose gradient is checked against finite differences there. */
function reference(
  x: Float32Array,
  weight: Float32Array,
  cols: number,
  groups: HeadGroups,
  dy?: Float32Array,
): Float64Array {
  const out = Float64Array.from(dy ?? x);
  for (let row = 0; row < x.length; row += cols) {
    let from = 0;
    for (let n = 0; n < groups.first + groups.second; n++) {
      const width = n < groups.first ? groups.firstWidth : groups.secondWidth;
      const part = (values: Float32Array, at = row) => values.subarray(at + from, at + from + width);
      out.set(
        dy
          ? rmsNormGradient(part(x), part(weight, 0), part(dy), width, EPS)
          : rmsNormReference(part(x), part(weight, 0), width, EPS),
        row + from,
      );
      from += width;
    }
  }
  return out;
}

describe.each([...allTraits, withSubgroups])('head_norm, %s', (_, traits) => {
  test.each([
    { rows: 1, cols: 5, first: 1, firstWidth: 3, second: 0, secondWidth: 0 },
    { rows: 11, cols: 64, first: 4, firstWidth: 8, second: 2, secondWidth: 8 },
    { rows: 6, cols: 96, first: 1, firstWidth: 48, second: 1, secondWidth: 24 },
    { rows: 7, cols: 33, first: 3, firstWidth: 5, second: 1, secondWidth: 9 },
    { rows: 3, cols: 24, first: 3, firstWidth: 8, second: 0, secondWidth: 8 },
  ])('$rows x $cols, $first of $firstWidth and $second of $secondWidth', async (shape) => {
    if (traits.subgroups && !(await testGpu()).features.subgroups) return;
    const { rows, cols } = shape;
    const [x, y, dx, dy] = ['x', 'y', 'dx', 'dy'].map((name) => testTensor(name, 'T', cols));
    const weight = testTensor('weight', 1, cols, 'weight');
    const xs = randomValues(rows * cols, 1, 2);
    const ws = randomValues(cols, 2);
    const dys = randomValues(rows * cols, 3);
    const [gotY, gotDx] = await runKernels(
      [
        headNormKernel(traits, x, weight, y, shape, EPS),
        headNormKernel(traits, x, weight, dx, shape, EPS, dy),
      ],
      { T: rows },
      new Map([
        [x, xs],
        [weight, ws],
        [dy, dys],
      ]),
      [y, dx],
    );
    expectClose(gotY, reference(xs, ws, cols, shape), 1e-6);
    expectClose(gotDx, reference(xs, ws, cols, shape, dys), 1e-5);
  });
});
