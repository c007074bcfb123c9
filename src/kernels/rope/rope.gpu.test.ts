import { describe, expect, test } from 'vitest';
import type { Tensor } from '../kernel.ts';
import {
  dotProduct,
  expectClose,
  finiteDifferences,
  randomValues,
  runKernels,
  type TestData,
  testTensor,
} from '../testing.ts';
import { ropeKernel, ropeReference, ropeTable } from './rope.ts';

const frequencies = (half: number) => Float64Array.from({ length: half }, (_, i) => 100 ** (-i / half));

describe('rope', () => {
  test.each([
    { rows: 1, cols: 2, column: 0, heads: 1, headDim: 2, rotary: 2 },
    { rows: 7, cols: 31, column: 3, heads: 4, headDim: 6, rotary: 6 },
    { rows: 13, cols: 72, column: 8, heads: 2, headDim: 24, rotary: 8 },
    { rows: 5, cols: 96, column: 0, heads: 6, headDim: 16, rotary: 16 },
  ])('$rows x $cols, $heads heads of $headDim from $column, $rotary turned', async (shape) => {
    const { rows, cols, rotary } = shape;
    const half = rotary / 2;
    const positions = Uint32Array.from({ length: rows }, (_, i) => (5 * i) % 17);
    const table = ropeTable(frequencies(half), 17);
    const values = randomValues(rows * cols, 1);
    const x = testTensor('x', 'T', cols);
    const settings = {
      ...shape,
      positions: testTensor('positions', 'T', 1, 'input', 'u32'),
      table: testTensor('table', 17, rotary, 'weight'),
    };
    const data = new Map<Tensor, TestData>([
      [x, values],
      [settings.positions, positions],
      [settings.table, table],
    ]);
    const [turned] = await runKernels([ropeKernel('forward', x, settings)], { T: rows }, data, [x]);
    expectClose(turned, ropeReference(values, cols, shape, positions, table, half), 1e-6);
    const [back] = await runKernels([ropeKernel('backward', x, settings)], { T: rows }, data, [x]);
    expectClose(back, ropeReference(values, cols, shape, positions, table, half, -1), 1e-6);
  });
});

test('turning back is the gradient', () => {
  const shape = { column: 1, heads: 2, headDim: 4 };
  const positions = [3, 0];
  const table = ropeTable(frequencies(2), 4);
  const x = randomValues(2 * 10, 1);
  const dy = randomValues(2 * 10, 2);
  const numeric = finiteDifferences(
    (v) => dotProduct(ropeReference(v, 10, shape, positions, table, 2), dy),
    x,
  );
  expectClose(ropeReference(dy, 10, shape, positions, table, 2, -1), numeric, 1e-7);
});

test('the table holds cos and sin of position times frequency', () => {
  const table = ropeTable([1, 0.5], 4);
  expect(table[4 * 3]).toBeCloseTo(Math.cos(3), 6);
  expect(table[4 * 3 + 3]).toBeCloseTo(Math.sin(1.5), 6);
});
