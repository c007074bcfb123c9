import { expandWgsl, type WgslConstants } from '../../gpu/index.ts';
import {
  type Dims,
  f32,
  grid,
  type Kernel,
  size,
  type Tensor,
  tensorBytes,
  type Uniform,
  u32,
} from '../kernel.ts';
import { SMALLEST_SUBGROUP } from '../lanes.ts';
import { groupQuads, type WeightReading, weightAccess, weightEnables } from '../weight.ts';
import headWgsl from './head.wgsl?raw';
import nnDirectWgsl from './nn_direct.wgsl?raw';
import nnTiledWgsl from './nn_tiled.wgsl?raw';
import ntDirectWgsl from './nt_direct.wgsl?raw';
import ntSubgroupWgsl from './nt_subgroup.wgsl?raw';
import ntTiledWgsl from './nt_tiled.wgsl?raw';
import reduceWgsl from './reduce.wgsl?raw';
import { blockOf, type Direction, type MatmulTile } from './tiles.ts';

/** One product: out [M, cols] = alpha * left x w (or w^T) + bias + addend. See `Direction`. */
export interface Product {
  direction: Direction;
  left: Tensor;
  /** [N, K], Hugging Face's [out, in], in any format `weightAccess` reads; one piece of it where a weight has several. */
  w: Tensor;
  out: Tensor;
  /** Default 1. */
  alpha?: number;
  /** [1, cols] */
  bias?: Tensor;
  /** Column of the bias that belongs to the weight's first row, where only some of its rows are multiplied. Default 0. */
  biasFirst?: number;
  /** [M, cols] */
  addend?: Tensor;
  /**
   * Row at which w begins within its weight, where it is a piece: `nt` writes the columns of out (and reads those of bias and
   * addend) from there on, `nn` reads those of left. Default 0.
   */
  firstRow?: number;
  /** Adds to what out holds: how the sum over pieces grows. */
  accumulate?: boolean;
  reading?: WeightReading;
}

/** A tensor for the bare parts of a split depth: [M, parts * cols]. */
export type MakeParts = (cols: number) => Tensor;

/** The kernels of a product: one, or two where the tile splits the depth. */
export function matmulKernels(product: Product, tile: MatmulTile, makeParts: MakeParts): Kernel[] {
  const shape = shapeOf(product);
  const split = tile.split ?? 1;
  if (split === 1) return [productKernel(product, shape, tile)];
  const parts = makeParts(split * shape.cols);
  return [productKernel(product, shape, tile, parts), reduceKernel(product, shape, parts, split)];
}

/** What of a product its text and its uniforms need. */
interface ProductShape {
  /** Outputs of a row, and the length of the sum of each. */
  cols: number;
  depth: number;
  /** First columns of out, of the bias and of left. */
  outFirst: number;
  biasFirst: number;
  leftFirst: number;
  /** Rows of left, and of out, can be read four values at a time. */
  leftVector: boolean;
  outVector: boolean;
}

function shapeOf({ direction, left, w, out, firstRow = 0, biasFirst = 0 }: Product): ProductShape {
  if (typeof w.rows !== 'number') throw new Error(`${w.name}: a weight's rows must be a fixed number`);
  const nt = direction === 'nt';
  const [cols, depth] = nt ? [w.rows, w.cols] : [w.cols, w.rows];
  const [outFirst, leftFirst] = nt ? [firstRow, 0] : [0, firstRow];
  const fours = (...values: number[]) => values.every((value) => value % 4 === 0);
  return {
    cols,
    depth,
    outFirst,
    biasFirst: outFirst + biasFirst,
    leftFirst,
    leftVector: fours(depth, left.cols, leftFirst),
    outVector: fours(cols, out.cols, outFirst, biasFirst),
  };
}

/** Whether the columns of both sides come in whole vec4, which staging needs. */
export function isAligned(product: Product): boolean {
  const { leftVector, outVector, cols } = shapeOf(product);
  return leftVector && (product.direction === 'nt' ? cols % 4 === 0 : outVector);
}

const epilogue = ({ bias, addend, accumulate = false }: Product): WgslConstants => ({
  BIAS: bias !== undefined,
  ADDEND: addend !== undefined,
  ACCUMULATE: accumulate,
});

const epilogueBuffers = ({ bias, addend }: Product): Kernel['buffers'] =>
  [bias, addend].filter((t) => t !== undefined).map((tensor) => ({ tensor, access: 'read' as const }));

function productKernel(product: Product, shape: ProductShape, tile: MatmulTile, parts?: Tensor): Kernel {
  const { direction, left, w, out, reading } = product;
  const { cols, depth } = shape;
  const nt = direction === 'nt';
  const split = tile.split ?? 1;
  const direct = tile.kind === 'direct';
  if (!direct && !isAligned(product))
    throw new Error(
      `${out.name}: a ${tile.kind} product needs multiples of 4, not [.., ${depth}] x [.., ${cols}]`,
    );
  const step = shape.leftVector ? 4 : 1;
  const vectorOut = (parts ? cols % 4 === 0 : shape.outVector) && (direct || !nt);
  const quads = tile.cols / 4;
  // Reading one value at a time, a group's scale is looked up with each.
  const group = (nt ? step === 4 : vectorOut) ? groupQuads(w) : 0;
  const depths = depth / step;
  const c: WgslConstants = {
    ...(parts ? { BIAS: false, ADDEND: false, ACCUMULATE: false } : epilogue(product)),
    PARTED: parts !== undefined,
    WEIGHT: weightAccess('w', 2, w, reading),
    GROUP: group,
    // The quads of a row that one invocation reads lie in one group.
    SHARED: group > 0 && group % quads === 0,
    L: step === 4 ? 'vec4f' : 'f32',
    O: vectorOut ? 'vec4f' : 'f32',
    O4: vectorOut,
    AT: (nt ? step === 4 : vectorOut) ? '4' : '',
    STEP: step,
    R: tile.rows,
    C: tile.cols,
    Q: vectorOut ? quads : tile.cols,
    WGX: tile.wgX,
    WGY: tile.wgY,
    BK: tile.depth ?? 0,
    LANES: tile.wgX,
    MOST_SUBGROUPS: Math.ceil(tile.wgX / SMALLEST_SUBGROUP),
  };
  const block = blockOf(tile);
  return {
    name: `matmul/${direction}`,
    code:
      enables(tile) + weightEnables(w, reading) + expandWgsl(`${headWgsl}\n${bodyOf(direction, tile)}`, c),
    buffers: [
      { tensor: left, access: 'read' },
      { tensor: w, access: 'read' },
      { tensor: parts ?? out, access: 'read_write' },
      ...(parts ? [] : epilogueBuffers(product)),
    ],
    uniforms: uniforms(product, shape, {
      outUnit: vectorOut ? 4 : 1,
      leftUnit: step,
      depths,
      parts: split,
      // Whole stages and whole groups a part, so that only the last stage is ragged.
      chunk: roundUp(Math.ceil(depths / split), Math.max((tile.depth ?? 4) / 4, nt ? group : 0)),
    }),
    workgroups: (dims) => [
      Math.ceil(cols / block.cols),
      Math.ceil(size(dims, left.rows) / block.rows),
      split,
    ],
    cost: (dims) => productCost(product, shape, dims),
  };
}

const enables = ({ kind }: MatmulTile): string => (kind === 'subgroup' ? 'enable subgroups;\n' : '');

function bodyOf(direction: Direction, { kind }: MatmulTile): string {
  if (direction === 'nn') {
    if (kind === 'subgroup') throw new Error('a product with w has no form by subgroups, only that with w^T');
    return kind === 'tiled' ? nnTiledWgsl : nnDirectWgsl;
  }
  return { direct: ntDirectWgsl, tiled: ntTiledWgsl, subgroup: ntSubgroupWgsl }[kind];
}

function productCost(
  { left, w, bias, addend, accumulate }: Product,
  { cols, depth }: ProductShape,
  dims: Dims,
) {
  const rows = size(dims, left.rows);
  return {
    flops: 2 * rows * depth * cols,
    bytes:
      4 * rows * (depth + cols * (addend || accumulate ? 2 : 1)) +
      tensorBytes(w, dims) +
      (bias ? 4 * cols : 0),
  };
}

function reduceKernel(product: Product, shape: ProductShape, parts: Tensor, split: number): Kernel {
  const { w, left, out, reading } = product;
  const { cols, outVector } = shape;
  const unit = outVector ? 4 : 1;
  const type = outVector ? 'vec4f' : 'f32';
  return {
    name: `matmul/${product.direction}/reduce`,
    code:
      weightEnables(w, reading) +
      expandWgsl(`${headWgsl}\n${reduceWgsl}`, {
        ...epilogue(product),
        // The parts come as `left`; binding 2 stays as in the products, with the frozen weight unread.
        WEIGHT: weightAccess('w', 2, w, reading),
        L: type,
        O: type,
        PARTED: false,
      }),
    buffers: [
      { tensor: parts, access: 'read' },
      { tensor: w, access: 'read' },
      { tensor: out, access: 'read_write' },
      ...epilogueBuffers(product),
    ],
    uniforms: uniforms(product, shape, { outUnit: unit, leftUnit: 1, depths: 0, parts: split, chunk: 0 }),
    workgroups: (dims) => grid((size(dims, left.rows) * cols) / unit, 64),
    cost: (dims) => {
      const outputs = size(dims, left.rows) * cols;
      return { flops: outputs * split, bytes: 4 * outputs * (split + 1) };
    },
  };
}

interface Units {
  /** Values of one element of out and of left. */
  outUnit: number;
  leftUnit: number;
  depths: number;
  parts: number;
  chunk: number;
}

/** The uniform block of `head.wgsl`. */
function uniforms(
  { left, out, alpha = 1 }: Product,
  { cols, outFirst, biasFirst, leftFirst }: ProductShape,
  { outUnit, leftUnit, depths, parts, chunk }: Units,
): Uniform[] {
  const values = [
    cols,
    cols / outUnit,
    depths,
    parts,
    chunk,
    out.cols / outUnit,
    outFirst / outUnit,
    biasFirst / outUnit,
    left.cols / leftUnit,
    leftFirst / leftUnit,
  ];
  return [u32(left.rows), ...values.map((value) => u32(value)), f32(alpha)];
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/** The slow clear version, in float64: out [M, N] = left [M, K] x w^T for `nt`, out [M, K] = left [M, N] x w for `nn`. w [N, K]. */
export function matmulReference(
  direction: Direction,
  left: ArrayLike<number>,
  w: ArrayLike<number>,
  n: number,
  k: number,
): Float64Array {
  const [depth, cols] = direction === 'nt' ? [k, n] : [n, k];
  const rows = left.length / depth;
  const out = new Float64Array(rows * cols);
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) {
      let sum = 0;
      for (let d = 0; d < depth; d++)
        sum += left[row * depth + d] * (direction === 'nt' ? w[col * k + d] : w[d * k + col]);
      out[row * cols + col] = sum;
    }
  return out;
}
