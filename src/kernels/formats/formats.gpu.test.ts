import { describe, expect, test } from 'vitest';
import { bytesSource, openSafetensors, toFloat32 } from '../../weights/index.ts';
import { embed } from '../embed/embed.ts';
import { type Kernel, piecesOf, type Tensor } from '../kernel.ts';
import { linear } from '../matmul/linear.ts';
import { matmulKernels, matmulReference } from '../matmul/matmul.ts';
import type { Direction, MatmulTile } from '../matmul/tiles.ts';
import {
  expectClose,
  randomValues,
  recordingBuilder,
  runKernels,
  type TestData,
  testGpu,
  testTensor,
} from '../testing.ts';
import { recordBackward } from '../testing_backward.ts';
import { formatBytes, formatOf, layOut, publishedBytes, type WeightDtype, weightDtypes } from './index.ts';

const files = import.meta.glob<string>('../../weights/testdata/*.safetensors', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** The reference's blocks and the values that ggml reads from them: [4, 512] each. `random`: any bit patterns with finite scales. */
async function golden(dtype: WeightDtype, kind: 'real' | 'random') {
  const name = dtype.toUpperCase();
  const response = await fetch(files[`../../weights/testdata/${name}.safetensors`]);
  const file = await openSafetensors(bytesSource(new Uint8Array(await response.arrayBuffer()), name));
  const blocks = new Uint8Array(await file.read(`${kind}.blocks`));
  return { blocks, values: toFloat32(await file.read(`${kind}.values`), 'F32') };
}

/** A matrix [rows, cols] of the reference's real values, repeated where it is larger. */
async function matrix(dtype: WeightDtype, rows: number, cols: number) {
  if (dtype === 'f32') {
    const values = randomValues(rows * cols, 2);
    return { values, bytes: new Uint8Array(values.buffer) };
  }
  const { blocks, values } = await golden(dtype, 'real');
  const { block, blockBytes } = formatOf(dtype);
  const count = (rows * cols) / block;
  const published = new Uint8Array(publishedBytes(dtype, rows * cols));
  const all = new Float32Array(rows * cols);
  for (let i = 0; i < count; i++) {
    // An odd step, so that no row repeats another.
    const from = (i * 7 + 3) % (values.length / block);
    published.set(blocks.subarray(from * blockBytes, (from + 1) * blockBytes), i * blockBytes);
    all.set(values.subarray(from * block, (from + 1) * block), i * block);
  }
  return { values: all, bytes: layOut(dtype, published) };
}

const packed = weightDtypes.filter((dtype) => dtype !== 'f32');
const readings = [false, true];

describe.each(packed)('%s', (dtype) => {
  test.each(['real', 'random'] as const)(
    '%s blocks: every value has the bits that ggml gives it',
    async (kind) => {
      const { blocks, values } = await golden(dtype, kind);
      const gpu = await testGpu();
      for (const shaderF16 of readings.filter((native) => !native || gpu.features.shaderF16)) {
        const b = recordingBuilder({ rowLanes: 1, shaderF16 });
        const ids = testTensor('ids', 4, 1, 'input', 'u32');
        const table = testTensor('table', 4, 512, 'weight', dtype);
        const x = embed(b, ids, table, { name: 'x' });
        const data = new Map<Tensor, TestData>([
          [ids, Uint32Array.of(0, 1, 2, 3)],
          [table, layOut(dtype, blocks)],
        ]);
        const [got] = await runKernels(b.nodes[0].kernels, {}, data, [x]);
        const [a, e] = [new Uint32Array(got.buffer), new Uint32Array(values.buffer)];
        expect(a.findIndex((bits, i) => bits !== e[i])).toBe(-1);
      }
    },
  );

  test('a matrix takes the bytes of its file', () => {
    const { block } = formatOf(dtype);
    for (const count of [block, 2 * block, 15 * block]) {
      const bytes = formatBytes(dtype, count);
      expect(bytes - publishedBytes(dtype, count)).toBeLessThan(4);
      expect(layOut(dtype, new Uint8Array(publishedBytes(dtype, count))).byteLength).toBe(bytes);
    }
  });
});

/** Small blocks that compile fast; the shapes below end inside them. The second takes a group's scale with each quad. */
const tiles: [string, MatmulTile][] = [
  ['direct', { kind: 'direct', rows: 2, cols: 8, wgX: 4, wgY: 1 }],
  ['direct, 12 columns, split', { kind: 'direct', rows: 1, cols: 12, wgX: 4, wgY: 2, split: 3 }],
  ['by subgroups', { kind: 'subgroup', rows: 2, cols: 4, wgX: 8, wgY: 1 }],
  ['staged', { kind: 'tiled', rows: 1, cols: 4, wgX: 8, wgY: 4, depth: 16 }],
];

describe.each(packed)('products, %s', (dtype) => {
  test.each(tiles)('%s: both directions equal float64 on the dequantised values', async (_, tile) => {
    const gpu = await testGpu();
    if (tile.kind === 'subgroup' && !gpu.features.subgroups) return;
    const [m, n] = [5, 20];
    const k = formatOf(dtype).block === 256 ? 256 : 96;
    const { values, bytes } = await matrix(dtype, n, k);
    const w = testTensor('w', n, k, 'weight', dtype);
    const data = new Map<Tensor, TestData>([[w, bytes]]);
    const kernels: Kernel[] = [];
    const wanted: { out: Tensor; expected: Float64Array }[] = [];
    for (const direction of ['nt', 'nn'] as Direction[]) {
      if (tile.kind === 'subgroup' && direction === 'nn') continue;
      const [depth, cols] = direction === 'nt' ? [k, n] : [n, k];
      const left = testTensor('left', m, depth);
      const leftValues = randomValues(m * depth, 1);
      data.set(left, leftValues);
      for (const nativeHalf of readings.filter((native) => !native || gpu.features.shaderF16)) {
        const out = testTensor('out', m, cols);
        const parts = (columns: number) => testTensor('parts', m, columns);
        kernels.push(...matmulKernels({ direction, left, w, out, reading: { nativeHalf } }, tile, parts));
        wanted.push({ out, expected: matmulReference(direction, leftValues, values, n, k) });
      }
    }
    const got = await runKernels(
      kernels,
      {},
      data,
      wanted.map(({ out }) => out),
    );
    for (const [i, { expected }] of wanted.entries()) expectClose(got[i], expected, 2e-6);
  });
});

describe('weights in pieces', () => {
  /** A weight of pieces of rows, and what each holds. */
  async function inPieces(cols: number, runs: [rows: number, dtype: WeightDtype][]) {
    const pieces = runs.map(([rows, dtype], i) => testTensor(`piece ${i}`, rows, cols, 'weight', dtype));
    const rows = runs.reduce((sum, run) => sum + run[0], 0);
    const w: Tensor = { ...testTensor('w', rows, cols, 'weight'), pieces };
    const held = await Promise.all(runs.map(([count, dtype]) => matrix(dtype, count, cols)));
    const data = new Map<Tensor, TestData>(piecesOf(w).map((piece, i) => [piece, held[i].bytes]));
    return { w, rows, data, values: Float32Array.from(held.flatMap(({ values }) => [...values])) };
  }

  test.each([
    [
      'one format, cut',
      96,
      [
        [8, 'f16'],
        [8, 'f16'],
        [4, 'f16'],
      ],
    ],
    [
      'mixed formats, as in Q4_K_M',
      256,
      [
        [12, 'q4_k'],
        [8, 'q6_k'],
        [3, 'q8_0'],
      ],
    ],
    [
      'rows that are no multiple of 4',
      64,
      [
        [8, 'q8_0'],
        [5, 'f32'],
      ],
    ],
    [
      'columns that are no multiple of 4',
      13,
      [
        [4, 'f32'],
        [7, 'f32'],
      ],
    ],
  ] as [string, number, [number, WeightDtype][]][])(
    '%s: forward and vjp equal float64',
    async (_, k, runs) => {
      const m = 6;
      const { w, rows: n, data, values } = await inPieces(k, runs);
      for (const rowLanes of [1, 64]) {
        const b = recordingBuilder({ rowLanes, capacity: { T: m } });
        const x = testTensor('x', 'T', k);
        const bias = testTensor('bias', 1, n, 'weight');
        const residual = testTensor('residual', 'T', n);
        const dy = testTensor('dy', 'T', n);
        const y = linear(b, x, w, { name: 'y', alpha: 0.5, bias, residual });
        const back = recordBackward(b.traits, b.nodes, [[y, dy]], (tensor) => tensor === x);
        const dx = back.grad(x)!;
        const own = [x, bias, residual, dy].map((t, i) => {
          const filled = randomValues((t === bias ? 1 : m) * t.cols, 10 + i);
          data.set(t, filled);
          return filled;
        });
        const kernels: Kernel[] = [...b.nodes, ...back.nodes].flatMap((node) => node.kernels);
        const [gotY, gotDx] = await runKernels(kernels, { T: m }, data, [y, dx]);
        const [xs, biases, residuals, dys] = own;
        expectClose(
          gotY,
          matmulReference('nt', xs, values, n, k).map((v, i) => 0.5 * v + biases[i % n] + residuals[i]),
          2e-6,
        );
        expectClose(
          gotDx,
          matmulReference('nn', dys, values, n, k).map((v) => 0.5 * v),
          2e-6,
        );
      }
    },
  );

  test('rows of a table, and of the prompt, come from whichever piece has them', async () => {
    const d = 64;
    const { w, data, values } = await inPieces(d, [
      [8, 'f16'],
      [4, 'q8_0'],
      [5, 'q4_1'],
    ]);
    const b = recordingBuilder({ rowLanes: 1 });
    const list = Uint32Array.of(16, 0x8000_0001, 0, 7, 8, 12, 0x8000_0000, 11);
    const ids = testTensor('ids', list.length, 1, 'input', 'u32');
    const prompt = testTensor('prompt', 2, d, 'state');
    const x = embed(b, ids, w, { name: 'x', prompt, scale: 2 });
    const prompts = randomValues(2 * d, 3);
    data.set(ids, list).set(prompt, prompts);
    const [got] = await runKernels(b.nodes[0].kernels, {}, data, [x]);
    list.forEach((id, t) => {
      const expected =
        id >= 0x8000_0000
          ? prompts.subarray((id - 0x8000_0000) * d, (id - 0x8000_0000 + 1) * d)
          : values.subarray(id * d, (id + 1) * d).map((value) => 2 * value);
      expect(got.subarray(t * d, (t + 1) * d)).toEqual(expected);
    });
  });
});
