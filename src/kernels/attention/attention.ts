import type { Tensor } from '../kernel.ts';
import type { Backward, Builder } from '../op.ts';
import {
  type AttentionShape,
  attentionBackwardKeys,
  attentionBackwardQueries,
  attentionForward,
  attentionStats,
  headWidth,
} from './kernels.ts';
import { attentionKeysOnnx, attentionOnnx, attentionQueriesOnnx } from './onnx.ts';
import { type AttentionTile, chooseAttentionTile, type Pass } from './tiles.ts';

export interface AttentionSettings extends AttentionShape {
  /** The name of the output. */
  name: string;
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
