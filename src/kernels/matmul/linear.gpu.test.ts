import { describe, expect, test } from 'vitest';
import type { Kernel, KernelTraits, Tensor } from '../kernel.ts';
import {
  allTraits,
  dotProduct,
  expectClose,
  finiteDifferences,
  randomValues,
  recordingBuilder,
  runKernels,
  type TestData,
  testGpu,
  testTensor,
} from '../testing.ts';
import { linear } from './linear.ts';
import { matmulKernels, matmulReference } from './matmul.ts';
import { gradientsOf } from './testing_gradients.ts';
import { type Direction, fits, type MatmulTile } from './tiles.ts';

/** Odd blocks on purpose: small so that the shapes below end inside, at, and past a block. */
const tiles: [string, MatmulTile][] = [
  ['direct', { kind: 'direct', rows: 3, cols: 4, wgX: 4, wgY: 2 }],
  ['direct, split', { kind: 'direct', rows: 2, cols: 8, wgX: 4, wgY: 2, split: 3 }],
  ['tiled', { kind: 'tiled', rows: 2, cols: 4, wgX: 4, wgY: 4, depth: 8 }],
  ['by subgroups', { kind: 'subgroup', rows: 2, cols: 4, wgX: 16, wgY: 1 }],
  // Fewer lanes than a subgroup may have.
  ['by subgroups, split', { kind: 'subgroup', rows: 1, cols: 8, wgX: 4, wgY: 1, split: 3 }],
  ['tiled, split', { kind: 'tiled', rows: 1, cols: 4, wgX: 8, wgY: 4, depth: 16, split: 3 }],
];

/** Exact for the multiples of 1/64 used here. */
const halves = (values: Float32Array): Uint16Array =>
  Uint16Array.from(values, (value) => {
    if (value === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(value)));
    const mantissa = (Math.abs(value) / 2 ** exponent - 1) * 1024;
    return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | mantissa;
  });

describe.each(tiles)('matmul, %s', (_, tile) => {
  describe.each(['nt', 'nn'] as Direction[])('%s', (direction) => {
    test.each([
      [1, 1, 1],
      [5, 7, 3],
      [3, 8, 5],
      [9, 6, 12],
      [1, 4, 4],
      [7, 32, 64],
      [17, 44, 36],
      [33, 40, 100],
    ])('M %i, N %i, K %i: with every epilogue equals float64', async (m, n, k) => {
      const [depth, cols] = direction === 'nt' ? [k, n] : [n, k];
      if (tile.kind === 'subgroup' && !(await testGpu()).features.subgroups) return;
      if (!fits(tile, { direction, rows: m, cols, depth, dtype: 'f32' })) return;
      const left = testTensor('left', 'T', depth);
      const bias = testTensor('bias', 1, cols, 'weight');
      const addend = testTensor('addend', 'T', cols);
      const leftValues = randomValues(m * depth, 1);
      const biasValues = randomValues(cols, 3, 2);
      const addendValues = randomValues(m * cols, 4, 2);
      for (const dtype of k % 4 === 0 ? (['f32', 'f16'] as const) : (['f32'] as const)) {
        const w = testTensor('w', n, k, 'weight', dtype);
        const wValues = randomValues(n * k, 2).map((v) => Math.round(v * 64) / 64);
        const [plain, full] = ['plain', 'full'].map((name) => testTensor(name, 'T', cols));
        const parts = (columns: number) => testTensor('parts', 'T', columns);
        const [gotPlain, gotFull] = await runKernels(
          [
            ...matmulKernels({ direction, left, w, out: plain }, tile, parts),
            ...matmulKernels({ direction, left, w, out: full, alpha: -0.5, bias, addend }, tile, parts),
          ],
          { T: m },
          new Map<Tensor, TestData>([
            [left, leftValues],
            [w, dtype === 'f16' ? halves(wValues) : wValues],
            [bias, biasValues],
            [addend, addendValues],
          ]),
          [plain, full],
        );
        const expected = matmulReference(direction, leftValues, wValues, n, k);
        expectClose(gotPlain, expected, 1e-5);
        expectClose(
          gotFull,
          expected.map((v, i) => -0.5 * v + biasValues[i % cols] + addendValues[i]),
          1e-5,
        );
      }
    });
  });
});

/** A run of `linear` forward and backward by its own vjp, so that the op's wiring is tested and not only its kernels. */
async function runLinear(traits: KernelTraits, m: number, n: number, k: number) {
  const b = recordingBuilder(traits);
  const x = testTensor('x', 'T', k);
  const w = testTensor('w', n, k, 'weight');
  const bias = testTensor('bias', 1, n, 'weight');
  const residual = testTensor('residual', 'T', n);
  const dy = testTensor('dy', 'T', n);
  const already = testTensor('already', 'T', k);
  const y = linear(b, x, w, { name: 'y', alpha: 0.25, residual, bias });
  const values = {
    x: randomValues(m * k, 1),
    w: randomValues(n * k, 2),
    bias: randomValues(n, 3),
    residual: randomValues(m * n, 4),
    dy: randomValues(m * n, 5),
    already: randomValues(m * k, 6),
  };
  const back = gradientsOf(b.nodes[0], traits, new Map([[y, dy]]), new Map([[x, already]]));
  const kernels: Kernel[] = [...b.nodes, ...back.nodes].flatMap((node) => node.kernels);
  const [gotY, gotDx] = await runKernels(
    kernels,
    { T: m },
    new Map<Tensor, TestData>([
      [x, values.x],
      [w, values.w],
      [bias, values.bias],
      [residual, values.residual],
      [dy, values.dy],
      [already, values.already],
    ]),
    [y, back.grads.get(x)!],
  );
  return { gotY, gotDx, values, residualIsDy: back.grads.get(residual) === dy };
}

describe.each(allTraits)('linear, %s', (_, traits) => {
  test.each([
    [1, 8192, 64],
    [3, 520, 48],
    [16, 2048, 12],
    [70, 68, 132],
    [40, 13, 9],
  ])('M %i, N %i, K %i: forward and vjp equal float64', async (m, n, k) => {
    const { gotY, gotDx, values, residualIsDy } = await runLinear({ ...traits, capacity: { T: m } }, m, n, k);
    const product = matmulReference('nt', values.x, values.w, n, k);
    expectClose(
      gotY,
      product.map((v, i) => 0.25 * v + values.bias[i % n] + values.residual[i]),
      1e-5,
    );
    const gradient = matmulReference('nn', values.dy, values.w, n, k);
    expectClose(
      gotDx,
      gradient.map((v, i) => 0.25 * v + values.already[i]),
      1e-5,
    );
    expect(residualIsDy).toBe(true);
  });
});

test('a shape mistake names both tensors', () => {
  const b = recordingBuilder({ rowLanes: 1 });
  const call = () => linear(b, testTensor('x', 'T', 8), testTensor('w', 4, 6), { name: 'y' });
  expect(call).toThrow(/x is \[\.\., 8\], but w is \[4, 6\]/);
});

test('the gradient formula agrees with finite differences', () => {
  const [m, n, k] = [2, 3, 4];
  const [x, w, dy] = [randomValues(m * k, 1), randomValues(n * k, 2), randomValues(m * n, 3)];
  const numeric = finiteDifferences((at) => dotProduct(matmulReference('nt', at, w, n, k), dy), x);
  expectClose(matmulReference('nn', dy, w, n, k), numeric, 1e-8);
});
