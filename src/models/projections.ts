import type { DecoderLayer, Linear } from './decoder.ts';
import type { Frozen } from './frozen.ts';

/** Where a family keeps queries, keys and values: three matrices, or one that stacks them. */
export interface ProjectionNames {
  weights: readonly [q: string, k: string, v: string] | readonly [qkv: string];
  biases?: readonly string[];
  /** The one matrix is published [in, out]. */
  transposed?: boolean;
  /** Published row of row r of [q; k; v], where the one matrix has another order. */
  rowOrder?(row: number): number;
}

/** Heads as widths: all query heads together, all key heads together. */
export interface AttentionWidths {
  width: number;
  inner: number;
  kvInner: number;
}

/** q, k and v of a layer as the engine fuses them: one matrix, in the last layer q apart from k and v (see `DecoderLayer`). */
export function takeProjections(
  frozen: Frozen,
  name: string,
  names: ProjectionNames,
  { width, inner, kvInner }: AttentionWidths,
  isLast: boolean,
): DecoderLayer['projections'] {
  const all = inner + 2 * kvInner;
  const take = (label: string, from: number, rows: number, parts: readonly number[]): Linear => {
    const apart = names.weights.length === 3;
    const order = names.rowOrder ?? ((row: number) => row);
    const reorder = !apart && (names.rowOrder !== undefined || rows !== all);
    const options = {
      transposed: names.transposed,
      rowOrder: reorder ? (row: number) => order(from + row) : undefined,
      published: apart ? rows : all,
    };
    const some = (list: readonly string[]) => (apart ? parts.map((part) => list[part]!) : list);
    return {
      weight: frozen.matrix(`${name}.${label}`, some(names.weights), rows, width, options),
      bias: names.biases && frozen.vector(`${name}.${label} bias`, some(names.biases), rows, options),
    };
  };
  return isLast
    ? { q: take('q', 0, inner, [0]), kv: take('kv', inner, 2 * kvInner, [1, 2]) }
    : { qkv: take('qkv', 0, all, [0, 1, 2]) };
}
