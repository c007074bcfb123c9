/** Every op's ONNX form, run by ONNX Runtime, beside the same float64 references that its shaders are held to. */
import { describe, expect, test } from 'vitest';
import { createGraph, type Graph, makeTensor } from '../graph/index.ts';
import { attention } from '../kernels/attention/attention.ts';
import { pack } from '../kernels/attention/packing.ts';
import { type AttentionCase, attentionGradient, attentionReference } from '../kernels/attention/reference.ts';
import { embedGradient, embedReference } from '../kernels/embed/embed.ts';
import { ACTIVATIONS } from '../kernels/gate/gate.ts';
import {
  activationReference,
  activationSlope,
  gateGradient,
  gateReference,
} from '../kernels/gate/reference.ts';
import {
  activate,
  add,
  argmax,
  embed,
  gate,
  gatherRows,
  headNorm,
  layerNorm,
  linear,
  PROMPT_ROW,
  rmsNorm,
  rope,
  softCap,
  type Tensor,
} from '../kernels/index.ts';
import { layerNormGradient, layerNormReference } from '../kernels/layer_norm/layer_norm.ts';
import { matmulReference } from '../kernels/matmul/matmul.ts';
import { rmsNormGradient, rmsNormReference } from '../kernels/rms_norm/rms_norm.ts';
import { ropeReference, ropeTable } from '../kernels/rope/rope.ts';
import { softCapGradient, softCapReference } from '../kernels/soft_cap/soft_cap.ts';
import { differentiated, expectClose, input, noise, runOnnx, state, type Values, weight } from './testing.ts';

const EPS = 1e-6;

/** Runs an op of x [M, cols] forward and backward. */
async function bothWays(
  cols: number,
  rows: number,
  build: (graph: Graph, x: Tensor) => Tensor,
  more: Values = new Map(),
) {
  const x = state('x', 'M', cols);
  const { graph, y, dy, gradients } = differentiated([x], (g) => build(g, x));
  const values = noise(rows * cols, 1, 2);
  const dValues = noise(rows * y.cols, 2);
  const found = await runOnnx(
    graph,
    { y, dx: gradients.get(x)! },
    new Map([...more, [x, values], [dy, dValues]]),
    { M: rows },
  );
  return { ...found, x: values, dy: dValues };
}

describe('norms', () => {
  test('RMS norm', async () => {
    const w = weight('w', 1, 12);
    const wValues = noise(12, 3);
    const { x, dy, y, dx } = await bothWays(12, 5, (g, t) => rmsNorm(g, t, w, EPS), new Map([[w, wValues]]));
    expectClose(y, rmsNormReference(x, wValues, 12, EPS));
    expectClose(dx, rmsNormGradient(x, wValues, dy, 12, EPS));
  });

  test('layer norm', async () => {
    const [w, b] = [weight('w', 1, 9), weight('b', 1, 9)];
    const [wValues, bValues] = [noise(9, 3), noise(9, 4)];
    const more: Values = new Map([
      [w, wValues],
      [b, bValues],
    ]);
    const run = await bothWays(9, 5, (g, t) => layerNorm(g, t, { weight: w, bias: b }, EPS), more);
    expectClose(run.y, layerNormReference(run.x, wValues, bValues, 9, EPS));
    expectClose(run.dx, layerNormGradient(run.x, wValues, run.dy, 9, EPS));
  });

  test('norms of heads, and the values behind them as they are', async () => {
    const groups = { first: 2, firstWidth: 4, second: 1, secondWidth: 6 };
    const w = weight('w', 1, 14);
    const wValues = noise(14, 3);
    const { x, dy, y, dx } = await bothWays(
      17,
      3,
      (g, t) => headNorm(g, t, w, groups, EPS),
      new Map([[w, wValues]]),
    );
    const wanted = Float64Array.from(x);
    const gradient = Float64Array.from(dy);
    for (let row = 0; row < 3; row++)
      for (const [from, width] of [
        [0, 4],
        [4, 4],
        [8, 6],
      ]) {
        const at = row * 17 + from;
        const part = (values: Float32Array) => values.slice(at, at + width);
        const own = wValues.slice(from, from + width);
        wanted.set(rmsNormReference(part(x), own, width, EPS), at);
        gradient.set(rmsNormGradient(part(x), own, part(dy), width, EPS), at);
      }
    expectClose(y, wanted);
    expectClose(dx, gradient);
  });
});

describe('gates', () => {
  test.each(ACTIVATIONS)('%s, gated and plain', async (activation) => {
    const gated = await bothWays(14, 40, (g, t) => gate(g, t, activation));
    expectClose(gated.y, gateReference(gated.x, 7, activation));
    expectClose(gated.dx, gateGradient(gated.x, gated.dy, 7, activation));
    const plain = await bothWays(7, 40, (g, t) => activate(g, t, activation));
    expectClose(plain.y, Array.from(plain.x, activationReference[activation]));
    expectClose(
      plain.dx,
      Array.from(plain.x, (value, i) => plain.dy[i] * activationSlope[activation](value)),
    );
  });
});

test('soft caps', async () => {
  const { x, y, dx, dy } = await bothWays(6, 30, (g, t) => softCap(g, t, 1.5));
  expectClose(y, softCapReference(x, 1.5));
  expectClose(dx, softCapGradient(x, dy, 1.5));
});

test('sums: both gradients are that of the sum', async () => {
  const other = state('other', 'M', 5);
  const values = noise(45, 7);
  const { x, y, dx, dy } = await bothWays(5, 9, (g, t) => add(g, t, other), new Map([[other, values]]));
  expectClose(
    y,
    Array.from(x, (value, i) => value + values[i]),
  );
  expectClose(dx, Array.from(dy));
});

describe('linear layers', () => {
  test('scaled, with a bias and a residual, which gets its gradient as it is', async () => {
    const [w, bias] = [weight('w', 6, 10), weight('bias', 1, 6)];
    const r = state('r', 'M', 6);
    const x = state('x', 'M', 10);
    const { graph, y, dy, gradients } = differentiated([x, r], (g) =>
      linear(g, x, w, { name: 'y', alpha: 0.5, bias, residual: r }),
    );
    const [xs, ws, bs, rs, ds] = [noise(30, 1), noise(60, 2), noise(6, 3), noise(18, 4), noise(18, 5)];
    const values: Values = new Map([
      [x, xs],
      [w, ws],
      [bias, bs],
      [r, rs],
      [dy, ds],
    ]);
    const found = await runOnnx(graph, { y, dx: gradients.get(x)! }, values, { M: 3 });
    expectClose(
      found.y,
      matmulReference('nt', xs, ws, 6, 10).map((value, i) => 0.5 * value + bs[i % 6] + rs[i]),
    );
    expectClose(
      found.dx,
      matmulReference('nn', ds, ws, 6, 10).map((value) => 0.5 * value),
    );
    expect(gradients.get(r)).toBe(dy);
  });
});

test('halves are widened in the graph', async () => {
  const x = state('x', 'M', 4);
  const w = makeTensor('weight', 'w', 2, 4, 'f16');
  const graph = createGraph({ rowLanes: 1 });
  const y = linear(graph, x, w, { name: 'y' });
  // 1, -2, 0.5, 65504; 2^-24 (the smallest), 0, 0, 0
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x7bff, 0x0001, 0, 0, 0);
  const values: Values = new Map<Tensor, Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>([
    [x, Float32Array.of(1, 1, 1, 1)],
    [w, halves],
  ]);
  const found = await runOnnx(graph, { y }, values, { M: 1 });
  expect([...found.y]).toEqual([65503.5, 2 ** -24]);
});

describe('rotary positions', () => {
  test('turned by their angles, and back', async () => {
    const settings = { column: 4, heads: 2, headDim: 6 };
    const table = weight('table', 9, 4);
    const positions = input('positions', 'M', 1);
    const values = ropeTable([0.7, 0.05], 9);
    const at = Uint32Array.of(0, 3, 8, 2);
    // In place: what is turned must be an activation, as a projection's output is.
    const identity = weight('identity', 19, 19);
    const one = Float32Array.from({ length: 361 }, (_, i) => (i % 20 === 0 ? 1 : 0));
    const more: Values = new Map<Tensor, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>([
      [table, values],
      [positions, at],
      [identity, one],
    ]);
    const { x, dy, y, dx } = await bothWays(
      19,
      4,
      (g, t) => rope(g, linear(g, t, identity, { name: 'projected' }), { ...settings, positions, table }),
      more,
    );
    expectClose(y, ropeReference(x, 19, settings, at, values, 2));
    expectClose(dx, ropeReference(dy, 19, settings, at, values, 2, -1));
  });
});

describe('rows', () => {
  test('embedding with a prompt, and its gradient', async () => {
    const prompt = state('prompt', 3, 4);
    const into = state('prompt gradient', 3, 4);
    const [ids, promptRow] = [input('ids', 'T', 1), input('promptRow', 'S', 1)];
    const table = weight('table', 8, 4);
    const { graph, y, dy, gradients } = differentiated([prompt], (g) =>
      embed(g, ids, table, { name: 'x', scale: 2, prompt, gradient: { into, promptRow } }),
    );
    const p = (row: number) => (PROMPT_ROW | row) >>> 0;
    const idValues = Uint32Array.of(p(0), p(1), p(2), 7, 1, p(0), p(1), p(2), 0);
    const [pv, tv, dv] = [noise(12, 1), noise(32, 2), noise(36, 3)];
    const values: Values = new Map<Tensor, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>([
      [prompt, pv],
      [ids, idValues],
      [promptRow, Uint32Array.of(0, 5)],
      [table, tv],
      [dy, dv],
    ]);
    const found = await runOnnx(graph, { y, dp: gradients.get(prompt)! }, values, { T: 9, S: 2 });
    expectClose(found.y, embedReference(idValues, tv, pv, 4, 2));
    expectClose(found.dp, embedGradient(idValues, dv, 3, 4));
  });

  test('gathered rows, zeros where nobody asked', async () => {
    const [index, inverse] = [input('index', 'N', 1), input('inverse', 'M', 1)];
    const none = 0xffff_ffff;
    const x = state('x', 'M', 3);
    const { graph, y, dy, gradients } = differentiated([x], (g) => gatherRows(g, x, index, inverse));
    const values: Values = new Map<Tensor, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>([
      [x, noise(12, 1)],
      [dy, Float32Array.of(1, 2, 3, 4, 5, 6)],
      [index, Uint32Array.of(3, 1)],
      [inverse, Uint32Array.of(none, 1, none, 0)],
    ]);
    const found = await runOnnx(graph, { y, dx: gradients.get(x)! }, values, { M: 4, N: 2 });
    const xs = values.get(x)!;
    expect([...found.y]).toEqual([...xs.slice(9, 12), ...xs.slice(3, 6)]);
    expect([...found.dx]).toEqual([0, 0, 0, 4, 5, 6, 0, 0, 0, 1, 2, 3]);
  });

  test('the first of the largest', async () => {
    const x = state('x', 'M', 4);
    const graph = createGraph({ rowLanes: 1 });
    const y = argmax(graph, x);
    const xs = Float32Array.of(1, 5, 5, 2, -3, -1, -2, -1);
    expect([...(await runOnnx(graph, { y }, new Map([[x, xs]]), { M: 2 })).y]).toEqual([1, 1]);
  });
});

describe('attention', () => {
  interface Setup {
    packed: ReturnType<typeof pack>;
    heads: number;
    kvHeads: number;
    reach?: number;
    prefix?: number;
  }
  const cases: [string, Setup][] = [
    [
      'sequences of different lengths under a relative bias',
      {
        packed: pack([
          [5, 5],
          [2, 2],
          [7, 7],
        ]),
        heads: 2,
        kvHeads: 2,
        reach: 3,
      },
    ],
    [
      'causal',
      {
        packed: pack(
          [
            [3, 3],
            [6, 6],
          ],
          { after: 0 },
        ),
        heads: 3,
        kvHeads: 3,
      },
    ],
    [
      'causal, heads in groups, a window',
      {
        packed: pack(
          [
            [9, 9],
            [4, 4],
          ],
          { after: 0, before: 2 },
        ),
        heads: 4,
        kvHeads: 2,
      },
    ],
    [
      'behind a shared prefix',
      {
        packed: pack(
          [
            [3, 3],
            [5, 5],
          ],
          { after: 0, prefix: 4 },
        ),
        heads: 4,
        kvHeads: 2,
        prefix: 4,
      },
    ],
  ];
  test.each(cases)('%s', async (_, { packed, heads, kvHeads, reach, prefix }) => {
    const headDim = 4;
    const cols = (heads + 2 * kvHeads) * headDim;
    const [queryRanges, keyRanges] = [input('queryRanges', 'M', 4), input('keyRanges', 'M', 4)];
    const table = weight('table', heads, 2 * (reach ?? 0) + 1);
    const tableValues = noise(heads * table.cols, 7);
    const more: Values = new Map<Tensor, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>([
      [queryRanges, Uint32Array.from(packed.queryRanges)],
      [keyRanges, Uint32Array.from(packed.keyRanges)],
      [table, tableValues],
    ]);
    const shape = { heads, kvHeads, headDim, scale: 0.6 };
    const { x, dy, y, dx } = await bothWays(
      cols,
      packed.queries,
      (g, qkv) =>
        attention(g, {
          ...shape,
          name: 'mixed',
          q: qkv,
          qColumn: 0,
          k: qkv,
          kColumn: heads * headDim,
          v: qkv,
          vColumn: (heads + kvHeads) * headDim,
          bias: reach === undefined ? undefined : { table, reach },
          queryRanges,
          keyRanges,
          prefix,
        }),
      more,
    );
    const operand = (column: number) => ({ values: x, cols, column });
    const reference: AttentionCase = {
      ...shape,
      q: operand(0),
      k: operand(heads * headDim),
      v: operand((heads + kvHeads) * headDim),
      bias: reach === undefined ? undefined : { table: tableValues, reach },
      queryRanges: packed.queryRanges,
      prefix,
    };
    expectClose(y, attentionReference(reference).out);
    const { dq, dk, dv } = attentionGradient(reference, dy);
    expectClose(
      dx,
      dq.map((value, i) => value + dk[i] + dv[i]),
    );
  });
});
