import { expandWgsl, type WgslConstants } from '../../gpu/index.ts';
import {
  type Dims,
  f32,
  grid,
  type Kernel,
  type Size,
  size,
  type Tensor,
  type Uniform,
  u32,
} from '../kernel.ts';
import backwardKeysWgsl from './backward_keys.wgsl?raw';
import backwardQueriesWgsl from './backward_queries.wgsl?raw';
import forwardWgsl from './forward.wgsl?raw';
import sharedWgsl from './shared.wgsl?raw';
import statsWgsl from './stats.wgsl?raw';
import type { AttentionTile } from './tiles.ts';

/** What is attended with. */
export interface AttentionShape {
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

/** Whether all operands can be loaded as vec4. */
const isVector = (a: AttentionShape): boolean =>
  [a.headDim, a.qColumn, a.kColumn, a.vColumn, a.q.cols, a.k.cols, a.v.cols].every((n) => n % 4 === 0);

/** A head's width in loads. */
export const headWidth = (a: AttentionShape): number => (isVector(a) ? a.headDim / 4 : a.headDim);

interface Binding {
  /** The template's constant for the name, where the tensor may have been declared under another one. */
  constant?: string;
  wgsl: string;
  type: string;
  tensor: Tensor;
  access: 'read' | 'read_write';
}

/** Declares each tensor once, however many parts it plays: a stage has 8 storage buffers. */
function declare(bindings: Binding[]): { text: string; names: WgslConstants; buffers: Kernel['buffers'] } {
  const unique: Binding[] = [];
  const names: WgslConstants = {};
  for (const binding of bindings) {
    let found = unique.find((other) => other.tensor === binding.tensor);
    if (!found) {
      unique.push(binding);
      found = binding;
    }
    if (binding.constant) names[binding.constant] = found.wgsl;
  }
  return {
    text: unique
      .map((b, i) => `@group(0) @binding(${i + 1}) var<storage, ${b.access}> ${b.wgsl}: array<${b.type}>;`)
      .join('\n'),
    names,
    buffers: unique.map(({ tensor, access }) => ({ tensor, access })),
  };
}

function constants(a: AttentionShape, tile: AttentionTile, sums: number): WgslConstants {
  const vector = isVector(a);
  const unit = vector ? 4 : 1;
  const width = a.headDim / unit;
  if (tile.quads && tile.lanes !== 2 && tile.lanes !== 4) throw new Error(`${tile.lanes} lanes are no quad`);
  if (width % tile.lanes !== 0) throw new Error(`${tile.lanes} lanes cannot share ${width} loads`);
  return {
    VECTOR: vector,
    V: vector ? 'vec4f' : 'f32',
    WIDTH: width,
    SLICE: width / tile.lanes,
    LANES: tile.lanes,
    TILES: tile.tiles,
    R: tile.rows,
    BLOCK: tile.block,
    QUADS: tile.quads ?? false,
    SUMS: tile.rows * tile.block * sums,
    CAP: a.cap !== undefined,
    CAP_AT: `(${(a.cap ?? 1).toExponential()})`,
    BIAS: a.bias !== undefined,
    PREFIX: a.prefix !== undefined,
  };
}

const operands = (a: AttentionShape, which: string): Binding[] =>
  (['q', 'k', 'v'] as const)
    .filter((name) => which.includes(name))
    .map((name) => ({
      constant: name === 'v' ? 'VALUE' : name.toUpperCase(),
      wgsl: name,
      type: isVector(a) ? 'vec4f' : 'f32',
      tensor: a[name],
      access: 'read' as const,
    }));

const read = (wgsl: string, type: string, tensor: Tensor): Binding => ({
  wgsl,
  type,
  tensor,
  access: 'read',
});
const write = (wgsl: string, type: string, tensor: Tensor): Binding => ({
  wgsl,
  type,
  tensor,
  access: 'read_write',
});
const biasTable = (a: AttentionShape): Binding[] => (a.bias ? [read('bias', 'f32', a.bias.table)] : []);

/** The uniform block of `shared.wgsl`. */
function uniforms(a: AttentionShape, rows: Size): Uniform[] {
  const unit = isVector(a) ? 4 : 1;
  const inUnits = [a.qColumn, a.kColumn, a.vColumn, a.q.cols, a.k.cols, a.v.cols].map((n) => n / unit);
  return [
    u32(rows),
    u32(a.prefix ?? 0),
    ...[...inUnits, a.heads, a.heads / a.kvHeads, a.bias?.reach ?? 0].map((value) => u32(value)),
    f32(a.scale),
  ];
}

interface Parts {
  shape: AttentionShape;
  name: string;
  body: string;
  constants: WgslConstants;
  bindings: Binding[];
  rows: Size;
  workgroups: Kernel['workgroups'];
  cost: Kernel['cost'];
}

function assemble(parts: Parts): Kernel {
  const { text, names, buffers } = declare(parts.bindings);
  return {
    name: parts.name,
    code: expandWgsl(`${sharedWgsl}\n${parts.body}`, {
      ...parts.constants,
      ...names,
      BINDINGS: text,
      ENABLES: parts.constants.QUADS ? 'enable subgroups;' : '',
    }),
    buffers,
    uniforms: uniforms(parts.shape, parts.rows),
    workgroups: parts.workgroups,
    cost: parts.cost,
  };
}

const groups =
  (rows: Size, tile: AttentionTile, heads: number) =>
  (dims: Dims): [number, number, number] => [
    Math.ceil(size(dims, rows) / (tile.rows * tile.tiles)),
    heads,
    1,
  ];

const cost =
  (a: AttentionShape, products: number, passes: number) =>
  (dims: Dims): { flops: number; bytes: number } => {
    const pairs = a.pairs === undefined ? 0 : size(dims, a.pairs);
    return {
      flops: 2 * products * pairs * a.heads * a.headDim,
      bytes: 4 * passes * a.headDim * (size(dims, a.q.rows) * a.heads + size(dims, a.k.rows) * a.kvHeads),
    };
  };

/** out [M, heads * headDim], lse [M, heads]. */
export function attentionForward(a: AttentionShape, tile: AttentionTile, out: Tensor, lse: Tensor): Kernel {
  return assemble({
    shape: a,
    name: 'attention/forward',
    body: forwardWgsl,
    constants: constants(a, tile, 1),
    bindings: [
      ...operands(a, 'qkv'),
      read('ranges', 'vec4u', a.queryRanges),
      write('out', isVector(a) ? 'vec4f' : 'f32', out),
      write('lse', 'f32', lse),
      ...biasTable(a),
    ],
    rows: a.q.rows,
    workgroups: groups(a.q.rows, tile, a.heads),
    cost: cost(a, 2, 2),
  });
}

/** stats [M, 2 * heads]: pairs of log-sum-exp and sum of dout * out. */
export function attentionStats(
  a: AttentionShape,
  out: Tensor,
  dout: Tensor,
  lse: Tensor,
  stats: Tensor,
): Kernel {
  const type = isVector(a) ? 'vec4f' : 'f32';
  return assemble({
    shape: a,
    name: 'attention/stats',
    body: statsWgsl,
    constants: constants({ ...a, bias: undefined }, { rows: 1, lanes: 1, tiles: 64, block: 1 }, 1),
    bindings: [
      read('out', type, out),
      read('dout', type, dout),
      read('lse', 'f32', lse),
      write('stats', 'vec2f', stats),
    ],
    rows: a.q.rows,
    workgroups: (dims) => grid(size(dims, a.q.rows) * a.heads, 64),
    cost: (dims) => {
      const values = size(dims, a.q.rows) * a.heads * a.headDim;
      return { flops: 2 * values, bytes: 8 * values };
    },
  });
}

/** Writes the columns of the queries into `dq`, which has the shape of `q`. */
export function attentionBackwardQueries(
  a: AttentionShape,
  tile: AttentionTile,
  dout: Tensor,
  stats: Tensor,
  dq: Tensor,
): Kernel {
  const type = isVector(a) ? 'vec4f' : 'f32';
  return assemble({
    shape: a,
    name: 'attention/queries',
    body: backwardQueriesWgsl,
    constants: constants(a, tile, 2),
    bindings: [
      ...operands(a, 'qkv'),
      read('ranges', 'vec4u', a.queryRanges),
      read('dout', type, dout),
      read('stats', 'vec2f', stats),
      write('dq', type, dq),
      ...biasTable(a),
    ],
    rows: a.q.rows,
    workgroups: groups(a.q.rows, tile, a.heads),
    cost: cost(a, 3, 3),
  });
}

/** Writes the columns of the keys into `into.dk`, those of the values into `into.dv`; these may be one tensor. */
export function attentionBackwardKeys(
  a: AttentionShape,
  tile: AttentionTile,
  dout: Tensor,
  stats: Tensor,
  into: { dk?: Tensor; dv?: Tensor },
): Kernel {
  const type = isVector(a) ? 'vec4f' : 'f32';
  const written: Binding[] = [];
  if (into.dk) written.push({ ...write('dk', type, into.dk), constant: 'DK_OUT' });
  if (into.dv) written.push({ ...write('dv', type, into.dv), constant: 'DV_OUT' });
  return assemble({
    shape: a,
    name: 'attention/keys',
    body: backwardKeysWgsl,
    constants: { ...constants(a, tile, 2), DK: into.dk !== undefined, DV: into.dv !== undefined },
    bindings: [
      ...operands(a, into.dk ? 'qkv' : 'qk'),
      read('ranges', 'vec4u', a.keyRanges),
      read('dout', type, dout),
      read('stats', 'vec2f', stats),
      ...written,
      ...biasTable(a),
    ],
    rows: a.k.rows,
    workgroups: groups(a.k.rows, tile, a.kvHeads),
    cost: cost(a, (into.dk ? 3 : 1) + (into.dv ? 1 : 0), into.dk && into.dv ? 3 : 2),
  });
}
