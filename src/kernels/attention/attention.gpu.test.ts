import { describe, expect, test } from 'vitest';
import type { KernelTraits, Tensor } from '../kernel.ts';
import { gradientsOf } from '../matmul/testing_gradients.ts';
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
  withSubgroups,
} from '../testing.ts';
import { attention } from './attention.ts';
import { type Packed, pack } from './packing.ts';
import { type AttentionCase, attentionGradient, attentionReference } from './reference.ts';
import { chooseAttentionTile } from './tiles.ts';

interface Setup {
  packed: Packed;
  heads?: number;
  kvHeads?: number;
  headDim: number;
  reach?: number;
  cap?: number;
  prefix?: number;
  /** `fused`: q, k, v in one tensor; `cross`: k and v among the columns of other layers; `apart`: three tensors. */
  layout?: 'fused' | 'cross' | 'apart';
}

/** Tensors and values of a case and what float64 makes of them: the same for every form of the kernels. */
function prepare(setup: Setup) {
  const { packed, headDim, heads = 2, kvHeads = heads, reach, layout = 'fused', prefix, cap } = setup;
  const inner = heads * headDim;
  const kvInner = kvHeads * headDim;
  const fused = testTensor('qkv', 'M', inner + 2 * kvInner);
  const layers = testTensor('kv', 'K', 3 * 2 * kvInner);
  const apart = ['q', 'k', 'v'].map((name, i) => testTensor(name, i ? 'K' : 'M', i ? kvInner + 4 : inner));
  const [q, qColumn, k, kColumn, v, vColumn] = (
    {
      fused: [fused, 0, fused, inner, fused, inner + kvInner],
      cross: [apart[0], 0, layers, 2 * kvInner, layers, 3 * kvInner],
      apart: [apart[0], 0, apart[1], 4, apart[2], 0],
    } as const
  )[layout];
  const dims = { M: packed.queries, K: packed.keys, P: prefix ?? 0 };
  const table = testTensor('table', heads, 2 * (reach ?? 0) + 1, 'weight');
  const tensors = [...new Set([q, k, v])];
  const values = new Map(
    tensors.map((tensor, i) => [tensor, randomValues(dims[tensor.rows as 'M'] * tensor.cols, i + 1, 1.5)]),
  );
  const tableValues = randomValues(heads * table.cols, 8);
  const doutValues = randomValues(dims.M * inner, 9);
  const settings = {
    name: 'mixed',
    q,
    qColumn,
    k,
    kColumn,
    v,
    vColumn,
    heads,
    kvHeads,
    headDim,
    scale: 1 / Math.sqrt(headDim),
    cap,
    bias: reach === undefined ? undefined : { table, reach },
    queryRanges: testTensor('queryRanges', 'M', 4, 'input', 'u32'),
    keyRanges: testTensor('keyRanges', 'K', 4, 'input', 'u32'),
    prefix: prefix === undefined ? undefined : 'P',
  };
  const dout = testTensor('dout', 'M', inner);
  const operand = (tensor: Tensor, column: number) => ({
    values: values.get(tensor)!,
    cols: tensor.cols,
    column,
  });
  const c: AttentionCase = {
    ...settings,
    q: operand(q, qColumn),
    k: operand(k, kColumn),
    v: operand(v, vColumn),
    bias: reach === undefined ? undefined : { table: tableValues, reach },
    queryRanges: packed.queryRanges,
    prefix,
  };
  const forward = attentionReference(c);
  const { dq, dk, dv } = attentionGradient(c, doutValues, forward);
  const gradients = tensors.map((tensor) => {
    const sum = new Float64Array(values.get(tensor)!.length);
    for (const [owner, part] of [
      [q, dq],
      [k, dk],
      [v, dv],
    ] as const)
      if (owner === tensor) for (let at = 0; at < part.length; at++) sum[at] += part[at];
    return sum;
  });
  const data = new Map<Tensor, TestData>([
    ...values,
    [table, tableValues],
    [dout, doutValues],
    [settings.queryRanges, packed.queryRanges],
    [settings.keyRanges, packed.keyRanges],
  ]);
  return { settings, dout, tensors, dims, data, expected: { ...forward, gradients } };
}

const prepared = new Map<Setup, ReturnType<typeof prepare>>();

/** Runs the op forward and backward by its own vjp and compares everything with float64. */
async function compare(traits: KernelTraits, setup: Setup): Promise<Float32Array> {
  const made = prepared.get(setup) ?? prepare(setup);
  prepared.set(setup, made);
  const { settings, dout, tensors, dims, data, expected } = made;
  const b = recordingBuilder(traits);
  const out = attention(b, settings);
  const lse = b.nodes[0].outputs[1];
  const back = gradientsOf(b.nodes[0], traits, new Map([[out, dout]]));
  const kernels = [...b.nodes, ...back.nodes].flatMap((node) => node.kernels);
  for (const kernel of kernels) expect(kernel.buffers.length).toBeLessThanOrEqual(8);
  const [gotOut, gotLse, ...grads] = await runKernels(kernels, dims, data, [
    out,
    lse,
    ...tensors.map((tensor) => back.grads.get(tensor)!),
  ]);
  expectClose(gotOut, expected.out, 1e-5);
  expectClose(gotLse, expected.lse, 1e-5);
  grads.forEach((grad, i) => {
    expectClose(grad, expected.gradients[i], 3e-5);
  });
  return gotOut;
}

const same = (lengths: number[]): [number, number][] => lengths.map((n) => [n, n]);
const ragged = [1, 7, 70, 2, 33, 16, 5];

/** Ranges of trees behind a prefix. `chosen`: the rows that ask. */
function tree(prefix: number, trees: [input: number, branches: number[]][], chosen?: number[]): Packed {
  const seenBy: [from: number, to: number][] = [];
  const queries: number[][] = [];
  const total =
    prefix + trees.reduce((sum, [n, branches]) => sum + n + branches.reduce((a, b) => a + b, 0), 0);
  for (let i = 0; i < prefix; i++) {
    seenBy.push([i, total]);
    queries.push([0, i + 1, 0, prefix]);
  }
  for (const [input, branches] of trees) {
    const first = queries.length;
    const end = first + input + branches.reduce((a, b) => a + b, 0);
    for (let i = 0; i < input; i++) {
      seenBy.push([first + i, end]);
      queries.push([first, first + i + 1, 0, 0]);
    }
    for (const branch of branches) {
      const start = queries.length;
      for (let i = 0; i < branch; i++) {
        seenBy.push([start + i, start + branch]);
        queries.push([first, start + i + 1, input | ((start - first - input) << 16), 0]);
      }
    }
  }
  const rows = chosen ?? queries.map((_, i) => i);
  const before = (row: number) => rows.filter((r) => r < row).length;
  return {
    queryRanges: Uint32Array.from(rows.flatMap((row) => queries[row])),
    keyRanges: Uint32Array.from(seenBy.flatMap(([from, to]) => [before(from), before(to), 0, 0])),
    queries: rows.length,
    keys: total,
  };
}

const blind: Setup = {
  packed: pack([
    [3, 5],
    [4, 0],
    [0, 6],
    [2, 2],
  ]),
  headDim: 8,
  layout: 'cross',
};

// A prefix of 3; then two trees of an input and branches that see the input and not each other; rows of a tree in preorder.
const branches = (chosen?: number[]): Setup => ({
  packed: tree(
    3,
    [
      [5, [2, 3]],
      [1, [1, 4, 1]],
    ],
    chosen,
  ),
  prefix: 3,
  headDim: 12,
  layout: 'apart',
  heads: 4,
  kvHeads: 2,
});

const cases: [string, Setup][] = [
  [
    'bidirectional over ragged packed sequences, with clamped bias',
    { packed: pack(same(ragged)), headDim: 32, heads: 3, reach: 12 },
  ],
  ['causal', { packed: pack(same(ragged), { after: 0 }), headDim: 16, reach: 40 }],
  [
    'sliding window, grouped heads',
    {
      packed: pack(same(ragged), { before: 3, after: 0 }),
      headDim: 24,
      heads: 6,
      kvHeads: 2,
      reach: 2,
    },
  ],
  ['capped scores', { packed: pack(same([9, 1, 4]), { after: 0 }), headDim: 12, cap: 0.8 }],
  [
    'cross, keys and values among the columns of other layers',
    {
      packed: pack([
        [2, 52],
        [5, 3],
        [1, 70],
        [9, 1],
      ]),
      headDim: 12,
      layout: 'cross',
    },
  ],
  [
    'queries, keys and values in three tensors',
    { packed: pack(same([3, 18])), headDim: 8, heads: 4, kvHeads: 2, reach: 5, layout: 'apart' },
  ],
  [
    'shared prefix, causal',
    { packed: pack(same([4, 1, 19]), { after: 0, prefix: 6 }), prefix: 6, headDim: 8, heads: 4, kvHeads: 2 },
  ],
  ['branches behind a shared prefix, queries of all rows', branches()],
  ['branches behind a shared prefix, queries of some rows', branches([2, 5, 7, 9, 10, 14])],
  ...[1, 5, 36, 256].map((headDim): [string, Setup] => [
    `head width ${headDim}`,
    { packed: pack(same([9, 1, 4])), headDim, reach: 3 },
  ]),
];

/** As many rows as the engine promises. Narrow heads, so that all rows can be held against float64. */
const LONG = 4096;
const long: [string, Setup][] = [
  ['bidirectional with bias', { packed: pack(same([LONG])), headDim: 4, heads: 1, reach: 127 }],
  ['causal', { packed: pack(same([LONG - 1, 1]), { after: 0 }), headDim: 4, heads: 1 }],
  [
    'cross, few queries to many keys and the reverse',
    {
      packed: pack([
        [3, LONG - 7],
        [LONG - 3, 7],
      ]),
      headDim: 12,
      layout: 'cross',
    },
  ],
  [
    'sliding window, grouped heads',
    { packed: pack(same([LONG]), { before: 30, after: 0 }), headDim: 24, kvHeads: 1, reach: 12 },
  ],
  [
    'shared prefix',
    {
      packed: pack(same([2000, 1, LONG - 2101]), { after: 0, prefix: 100 }),
      prefix: 100,
      headDim: 8,
      kvHeads: 1,
    },
  ],
];

/** Heads whose lanes are quads, where the device has subgroups. */
const wide: [string, Setup][] = [
  ['bidirectional with bias', { packed: pack(same([9, 1, 40])), headDim: 64, reach: 3 }],
  ['capped scores, branches behind a shared prefix', { ...branches(), headDim: 64, cap: 0.8 }],
  [
    '4,096 rows of a sliding window, grouped heads',
    { packed: pack(same([LONG]), { before: 30, after: 0 }), headDim: 64, kvHeads: 1 },
  ],
];

describe.each<[string, KernelTraits]>([['one lane a row', { rowLanes: 1, subgroups: true }], withSubgroups])(
  'attention by quads, %s',
  (_, traits) => {
    test.each(wide)('%s', async (_, setup) => {
      if (!(await testGpu()).features.subgroups) return;
      for (const pass of ['forward', 'queries', 'keys'] as const) {
        const work = { pass, width: setup.headDim / 4, queries: 'M', keys: 'K' };
        expect(chooseAttentionTile(traits, work).quads).toBe(true);
      }
      await compare(traits, setup);
    });
  },
);

describe.each(allTraits)('attention, %s', (_, traits) => {
  test.each(cases)('%s', async (_, setup) => {
    await compare(traits, setup);
  });

  test.each(long)('4,096 packed rows, %s', async (_, setup) => {
    expect(Math.max(setup.packed.queries, setup.packed.keys)).toBe(LONG);
    await compare(traits, setup);
  });

  test('rows that see nothing give zeros', async () => {
    const out = await compare(traits, blind);
    expect(out.subarray(3 * 16, 7 * 16).every((value) => value === 0)).toBe(true);
  });
});

test('a shared prefix equals the prefix written out for each sequence', () => {
  const [prefix, lengths, headDim] = [3, [2, 4], 4];
  const shared = pack(same(lengths), { after: 0, prefix });
  const cols = 3 * headDim;
  const rows = randomValues(shared.queries * cols, 1);
  const full = pack(same(lengths.map((n) => n + prefix)), { after: 0 });
  const source = lengths.flatMap((n, s) => [
    ...Array.from({ length: prefix }, (_, i) => i),
    ...Array.from({ length: n }, (_, i) => prefix + (s ? lengths[0] : 0) + i),
  ]);
  const copied = Float32Array.from(source.flatMap((row) => [...rows.subarray(row * cols, (row + 1) * cols)]));
  const run = (values: Float32Array, packed: Packed, before?: number) =>
    attentionReference({
      q: { values, cols, column: 0 },
      k: { values, cols, column: headDim },
      v: { values, cols, column: 2 * headDim },
      heads: 1,
      kvHeads: 1,
      headDim,
      scale: 0.5,
      queryRanges: packed.queryRanges,
      prefix: before,
    }).out;
  const [once, each] = [run(rows, shared, prefix), run(copied, full)];
  source.forEach((row, i) => {
    expectClose(
      each.subarray(i * headDim, (i + 1) * headDim),
      once.subarray(row * headDim, (row + 1) * headDim),
      1e-12,
    );
  });
});

test.each([
  ['a bias', undefined],
  ['capped scores', 0.9],
])('the gradient formulas agree with finite differences, %s', (_, cap) => {
  const packed = pack([
    [2, 3],
    [3, 2],
    [1, 0],
  ]);
  const [heads, kvHeads, headDim] = [2, 1, 3];
  const dout = randomValues(packed.queries * heads * headDim, 4);
  const q = randomValues(packed.queries * heads * headDim, 1);
  const k = randomValues(packed.keys * headDim, 2);
  const v = randomValues(packed.keys * headDim, 3);
  const make = (a: ArrayLike<number>, b: ArrayLike<number>, c: ArrayLike<number>): AttentionCase => ({
    q: { values: a, cols: heads * headDim, column: 0 },
    k: { values: b, cols: headDim, column: 0 },
    v: { values: c, cols: headDim, column: 0 },
    heads,
    kvHeads,
    headDim,
    scale: 0.7,
    cap,
    bias: cap ? undefined : { table: randomValues(heads * 3, 5), reach: 1 },
    queryRanges: packed.queryRanges,
  });
  const loss = (c: AttentionCase) => dotProduct(attentionReference(c).out, dout);
  const { dq, dk, dv } = attentionGradient(make(q, k, v), dout);
  expectClose(
    dq,
    finiteDifferences((x) => loss(make(x, k, v)), q),
    1e-7,
  );
  expectClose(
    dk,
    finiteDifferences((x) => loss(make(q, x, v)), k),
    1e-7,
  );
  expectClose(
    dv,
    finiteDifferences((x) => loss(make(q, k, x)), v),
    1e-7,
  );
});
