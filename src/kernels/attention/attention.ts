import type { Size, Tensor } from '../kernel.ts';
import type { Backward, Builder } from '../op.ts';
import {
  attentionBackwardKeys,
  attentionBackwardQueries,
  attentionForward,
  attentionStats,
  headWidth,
} from './kernels.ts';
import { attentionKeysOnnx, attentionOnnx, attentionQueriesOnnx } from './onnx.ts';
import { type AttentionTile, chooseAttentionTile, type Pass } from './tiles.ts';

export interface AttentionSettings {
  /** The name of the output. */
  name: string;
  /** Head h of the queries lies at columns qColumn + h * headDim; likewise keys and values. The three may be one tensor. */
  q: Tensor;
  qColumn: number;
  k: Tensor;
  kColumn: number;
  v: Tensor;
  vColumn: number;
  heads: number;
  /** Heads of keys and values; each serves heads / kvHeads query heads in turn. */
  kvHeads: number;
  headDim: number;
  scale: number;
  /** score = cap * tanh(score / cap), before any bias (Gemma 2). */
  cap?: number;
  /** score += table[h, clamp(rel, -reach, reach) + reach], rel = key position - query position. table [heads, 2 * reach + 1], f32. */
  bias?: { table: Tensor; reach: number };
  /**
   * [M, 4] u32: (first key row, end, rel0, 0). A query sees the keys first .. end - 1; key j has rel = rel0 + (j - first), where
   * rel0 is an i32 in the u32's bits. Causal, bidirectional, cross and windowed attention differ in these numbers only.
   */
  queryRanges: Tensor;
  /** [Tk, 4] u32: the same pairs seen from the keys: (first query row, end, rel0, 0); query i has rel = rel0 - (i - first). */
  keyRanges: Tensor;
  /**
   * Rows 0 .. prefix - 1 of the keys are a prefix that queries see besides their own range. The keyRanges of its rows name all queries
   * that see them. Without bias only; queryRanges are then (first key row, end, hole, first prefix row seen): of the rows from
   * `first` on (hole & 0xffff) are seen, the next (hole >> 16) are not (branches of other answers); a query that sees no prefix
   * names `prefix` as its first row.
   */
  prefix?: Size;
  /** How many (query, key) pairs see each other, for the counts of a profile only. */
  pairs?: Size;
}

/**
 * Attention over packed sequences without padding (Vaswani et al. 2017; fused with online softmax as in FlashAttention-2, Dao 2023).
 *
 *     p = softmax(scale * q k^T + bias),   out = p v
 *     ds = p * (dout v^T - sum(dout * out)),   dq = scale * ds k,   dk = scale * ds^T q,   dv = p^T dout
 *
 * No score matrix is kept: only the log-sum-exp [M, heads]. A row that sees nothing gives zeros. Each gradient row has one
 * owner that sums in a fixed order, so the result is the same bit for bit each time. Returns out [M, heads * headDim].
 */
export function attention(b: Builder, settings: AttentionSettings): Tensor {
  const { name, q, k, v, heads, headDim } = settings;
  check(settings);
  const out = b.tensor(name, q.rows, heads * headDim);
  const lse = b.tensor(`${name}.lse`, q.rows, heads);
  const context = [settings.queryRanges, ...(settings.bias ? [settings.bias.table] : [])];
  b.record({
    op: 'attention',
    inputs: [...new Set([q, k, v]), ...context],
    outputs: [out, lse],
    kernels: [attentionForward(settings, tileFor(b, settings, 'forward'), out, lse)],
    onnx: (e) => attentionOnnx(e, settings, out),
    attends: { settings, lse },
    vjp: (back) => contributeGradients(back, settings, out, lse),
  });
  return out;
}

const tileFor = (b: Builder, a: AttentionSettings, pass: Pass): AttentionTile =>
  chooseAttentionTile(b.traits, { pass, width: headWidth(a), queries: a.q.rows, keys: a.k.rows });

function contributeGradients(back: Backward, a: AttentionSettings, out: Tensor, lse: Tensor): void {
  const dout = back.grad(out);
  if (!dout || ![a.q, a.k, a.v].some((tensor) => back.wants(tensor))) return;
  const queryTile = tileFor(back, a, 'queries');
  const keyTile = tileFor(back, a, 'keys');
  const stats = back.tensor(`${a.name}.stats`, a.q.rows, 2 * a.heads);
  back.record({
    op: 'attention',
    inputs: [out, dout, lse],
    outputs: [stats],
    kernels: [attentionStats(a, out, dout, lse, stats)],
    // Queries and keys take what they need of it from one another.
    onnx: () => {},
  });

  const table = a.bias ? [a.bias.table] : [];
  const queries = (into: Tensor) =>
    back.record({
      op: 'attention',
      inputs: [...new Set([a.q, a.k, a.v]), dout, stats, a.queryRanges, ...table],
      outputs: [into],
      kernels: [attentionBackwardQueries(a, queryTile, dout, stats, into)],
      onnx: (e) => attentionQueriesOnnx(e, a, out, dout, into),
    });
  const keys = (into: { dk?: Tensor; dv?: Tensor }) =>
    back.record({
      op: 'attention',
      inputs: [...new Set(into.dk ? [a.q, a.k, a.v] : [a.q, a.k]), dout, stats, a.keyRanges, ...table],
      outputs: [...new Set([into.dk, into.dv].filter((tensor) => tensor !== undefined))],
      kernels: [attentionBackwardKeys(a, keyTile, dout, stats, into)],
      onnx: (e) => attentionKeysOnnx(e, a, out, dout, into),
    });

  const inner = a.heads * a.headDim;
  const kvInner = a.kvHeads * a.headDim;
  if (back.wants(a.q))
    back.contribute(a.q, { kind: 'columns', from: a.qColumn, count: inner, write: queries });
  if (a.k === a.v && Math.abs(a.kColumn - a.vColumn) === kvInner) {
    if (back.wants(a.k))
      back.contribute(a.k, {
        kind: 'columns',
        from: Math.min(a.kColumn, a.vColumn),
        count: 2 * kvInner,
        write: (into) => keys({ dk: into, dv: into }),
      });
    return;
  }
  if (back.wants(a.k))
    back.contribute(a.k, {
      kind: 'columns',
      from: a.kColumn,
      count: kvInner,
      write: (into) => keys({ dk: into }),
    });
  if (back.wants(a.v))
    back.contribute(a.v, {
      kind: 'columns',
      from: a.vColumn,
      count: kvInner,
      write: (into) => keys({ dv: into }),
    });
}

function check(a: AttentionSettings): void {
  const fail = (why: string): never => {
    throw new Error(`${a.name}: ${why}`);
  };
  if (a.heads % a.kvHeads !== 0) fail(`${a.heads} heads cannot share ${a.kvHeads} key heads`);
  for (const [which, tensor, column, heads] of [
    ['q', a.q, a.qColumn, a.heads],
    ['k', a.k, a.kColumn, a.kvHeads],
    ['v', a.v, a.vColumn, a.kvHeads],
  ] as const)
    if (column + heads * a.headDim > tensor.cols)
      fail(
        `${which} needs columns ${column} to ${column + heads * a.headDim}, but ${tensor.name} has ${tensor.cols}`,
      );
  if (a.bias && a.bias.table.cols !== 2 * a.bias.reach + 1)
    fail(`a reach of ${a.bias.reach} needs a bias table of ${2 * a.bias.reach + 1} columns`);
  if (a.bias && a.prefix !== undefined) fail('a shared prefix has no relative bias');
  if (a.k.rows !== a.v.rows) fail(`${a.k.name} and ${a.v.name} differ in rows`);
}
