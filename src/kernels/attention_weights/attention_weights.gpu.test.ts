import { describe, expect, test } from 'vitest';
import { attention } from '../attention/attention.ts';
import { type Packed, pack } from '../attention/packing.ts';
import type { Tensor } from '../kernel.ts';
import {
  expectClose,
  randomValues,
  recordingBuilder,
  runKernels,
  type TestData,
  testTensor,
} from '../testing.ts';
import { attentionWeights } from './attention_weights.ts';
import { attentionWeightsReference } from './reference.ts';

interface Setup {
  packed: Packed;
  heads: number;
  kvHeads?: number;
  headDim: number;
  reach?: number;
  cap?: number;
  prefix?: number;
  queries: { first: number; count: number };
  keys: { first: number; count: number };
}

/** The op behind a real fused attention, as the graph has it. */
async function weightsOf(setup: Setup): Promise<{ got: Float32Array; expected: Float64Array }> {
  const { packed, heads, kvHeads = heads, headDim, reach, cap, prefix, queries, keys } = setup;
  const inner = heads * headDim;
  const kvInner = kvHeads * headDim;
  const qkv = testTensor('qkv', 'M', inner + 2 * kvInner);
  const queryRanges = testTensor('queryRanges', 'M', 4, 'input', 'u32');
  const keyRanges = testTensor('keyRanges', 'K', 4, 'input', 'u32');
  const table = testTensor('table', heads, 2 * (reach ?? 0) + 1, 'weight');
  const dims = { M: packed.queries, K: packed.keys, P: prefix ?? 0, W: queries.count * keys.count };
  const values = randomValues(dims.M * qkv.cols, 3, 1.5);
  const tableValues = randomValues(heads * table.cols, 8);
  const b = recordingBuilder({ rowLanes: 1 });
  attention(b, {
    name: 'mixed',
    q: qkv,
    qColumn: 0,
    k: qkv,
    kColumn: inner,
    v: qkv,
    vColumn: inner + kvInner,
    heads,
    kvHeads,
    headDim,
    scale: 1 / Math.sqrt(headDim),
    cap,
    bias: reach === undefined ? undefined : { table, reach },
    queryRanges,
    keyRanges,
    prefix: prefix === undefined ? undefined : 'P',
  });
  const weights = attentionWeights(b, b.nodes[0]!.attends!, { name: 'weights', queries, keys, rows: 'W' });
  const [got] = await runKernels(
    b.nodes.flatMap((node) => node.kernels),
    dims,
    new Map<Tensor, TestData>([
      [qkv, values],
      [table, tableValues],
      [queryRanges, packed.queryRanges],
      [keyRanges, packed.keyRanges],
    ]),
    [weights],
  );
  const operand = (column: number) => ({ values, cols: qkv.cols, column });
  const expected = attentionWeightsReference(
    {
      q: operand(0),
      k: operand(inner),
      v: operand(inner + kvInner),
      heads,
      kvHeads,
      headDim,
      scale: 1 / Math.sqrt(headDim),
      cap,
      bias: reach === undefined ? undefined : { table: tableValues, reach },
      queryRanges: packed.queryRanges,
      prefix,
    },
    queries,
    keys,
  );
  return { got: got!, expected };
}

const all = ({ queries, keys }: Packed) => ({
  queries: { first: 0, count: queries },
  keys: { first: 0, count: keys },
});

describe('attention weights', () => {
  const two = pack([
    [7, 7],
    [5, 5],
  ]);

  test('bidirectional with a relative bias: those of float64, and each row sums to 1', async () => {
    const { got, expected } = await weightsOf({ packed: two, heads: 3, headDim: 8, reach: 4, ...all(two) });
    expectClose(got, expected, 1e-5);
    for (let i = 0; i < 12; i++)
      for (let head = 0; head < 3; head++) {
        let sum = 0;
        for (let j = 0; j < 12; j++) sum += got[(i * 12 + j) * 3 + head]!;
        expect(sum).toBeCloseTo(1, 5);
      }
    // The second sequence sees nothing of the first.
    expect(got.slice(7 * 12 * 3, 7 * 12 * 3 + 7 * 3).every((weight) => weight === 0)).toBe(true);
  });

  test('some queries and some keys only', async () => {
    const block = { queries: { first: 8, count: 3 }, keys: { first: 7, count: 2 } };
    const { got, expected } = await weightsOf({ packed: two, heads: 2, headDim: 6, reach: 3, ...block });
    expect(got).toHaveLength(3 * 2 * 2);
    expectClose(got, expected, 1e-5);
  });

  test('causal behind a shared prefix, grouped heads, capped scores', async () => {
    const packed = pack(
      [
        [6, 6],
        [4, 4],
      ],
      { after: 0, prefix: 3 },
    );
    // Rows of the sequences lie behind the prefix on both sides.
    const setup = { packed, heads: 4, kvHeads: 2, headDim: 8, cap: 2, prefix: 3 };
    const whole = await weightsOf({ ...setup, ...all(packed) });
    expectClose(whole.got, whole.expected, 1e-5);
    const toPrompt = await weightsOf({
      ...setup,
      queries: { first: 3, count: 10 },
      keys: { first: 0, count: 3 },
    });
    expectClose(toPrompt.got, toPrompt.expected, 1e-5);
    expect(toPrompt.got.every((weight) => weight > 0)).toBe(true);
  });
});
