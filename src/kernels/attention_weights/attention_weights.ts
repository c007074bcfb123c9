import { expandWgsl } from '../../gpu/index.ts';
import type { AttentionSettings } from '../attention/attention.ts';
import { f32, grid, type Size, size, type Tensor, u32 } from '../kernel.ts';
import type { Attends, Builder } from '../op.ts';
import wgsl from './attention_weights.wgsl?raw';

/** Rows `first` to `first + count - 1`. */
export interface RowBlock {
  first: Size;
  count: Size;
}

export interface AttentionWeightsSettings {
  name: string;
  queries: RowBlock;
  keys: RowBlock;
  /** Rows of the output: its size by name, which must be queries.count * keys.count. */
  rows: Size;
}

/**
 * What the fused attention does not keep: the softmax weights between some queries and some keys, from q, k and the
 * log-sum-exp that it left,
 *
 *     weights[i, j, h] = exp(scale * q_i k_j + bias - lse_i)
 *
 * For a person's eyes: one invocation a weight, no gradient. Returns [queries * keys, heads], the keys of a query one after
 * another; 0 where a query does not see a key.
 */
export function attentionWeights(
  b: Builder,
  { settings: a, lse }: Attends,
  { name, queries, keys, rows }: AttentionWeightsSettings,
): Tensor {
  const weights = b.tensor(name, rows, a.heads);
  const buffers = [a.q, a.k, a.queryRanges, lse];
  b.record({
    op: 'attention_weights',
    inputs: [...new Set([...buffers, ...tableOf(a)])],
    outputs: [weights],
    kernels: [
      {
        name: 'attention_weights/forward',
        code: expandWgsl(wgsl, {
          HEAD_DIM: a.headDim,
          BIAS: a.bias !== undefined,
          PREFIX: a.prefix !== undefined,
          CAP: a.cap !== undefined,
          CAP_AT: `(${(a.cap ?? 1).toExponential()})`,
        }),
        buffers: [
          ...buffers.map((tensor) => ({ tensor, access: 'read' as const })),
          { tensor: weights, access: 'read_write' as const },
          ...tableOf(a).map((tensor) => ({ tensor, access: 'read' as const })),
        ],
        uniforms: [
          ...[queries.count, queries.first, keys.count, keys.first, a.prefix ?? 0].map(u32),
          ...[a.qColumn, a.kColumn, a.q.cols, a.k.cols, a.heads, a.heads / a.kvHeads, a.bias?.reach ?? 0].map(
            (value) => u32(value),
          ),
          f32(a.scale),
        ],
        workgroups: (dims) => grid(size(dims, rows) * a.heads, 64),
        cost: (dims) => ({
          flops: 2 * size(dims, rows) * a.heads * a.headDim,
          bytes: 4 * size(dims, rows) * a.heads,
        }),
      },
    ],
  });
  return weights;
}

const tableOf = (a: AttentionSettings): Tensor[] => (a.bias ? [a.bias.table] : []);
