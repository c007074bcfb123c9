import { expandWgsl, type WgslConstants } from '../../gpu/index.ts';
import { BYTES, type Dims, f32, grid, type Kernel, size, type Tensor, type Uniform, u32 } from '../kernel.ts';
import { weightAccess } from '../weight.ts';
import headWgsl from './head.wgsl?raw';
import nnDirectWgsl from './nn_direct.wgsl?raw';
import nnTiledWgsl from './nn_tiled.wgsl?raw';
import ntDirectWgsl from './nt_direct.wgsl?raw';
import ntTiledWgsl from './nt_tiled.wgsl?raw';
import reduceWgsl from './reduce.wgsl?raw';
import type { Direction, MatmulTile } from './tiles.ts';

/** One product: out [M, cols] = alpha * left x w (or w^T) + bias + addend. See `Direction`. */
export interface Product {
  direction: Direction;
  left: Tensor;
  /** [N, K], Hugging Face's [out, in], in any format `weightAccess` reads. */
  w: Tensor;
  out: Tensor;
  /** Default 1. */
  alpha?: number;
  /** [1, cols] */
  bias?: Tensor;
  /** [M, cols] */
  addend?: Tensor;
}

/** A tensor for the bare parts of a split depth: [M, parts * cols]. */
export type MakeParts = (cols: number) => Tensor;

/** The kernels of a product: one, or two where the tile splits the depth. */
export function matmulKernels(product: Product, tile: MatmulTile, makeParts: MakeParts): Kernel[] {
  const cols = product.direction === 'nt' ? product.w.rows : product.w.cols;
  if (typeof cols !== 'number') throw new Error(`${product.w.name}: a weight's rows must be a fixed number`);
  const split = tile.split ?? 1;
  if (split === 1) return [productKernel(product, tile, cols)];
  const parts = makeParts(split * cols);
  return [productKernel({ ...product, out: parts }, tile, cols), reduceKernel(product, parts, split, cols)];
}

const epilogue = ({ bias, addend }: Product): WgslConstants => ({
  BIAS: bias !== undefined,
  ADDEND: addend !== undefined,
});

const epilogueBuffers = ({ bias, addend }: Product): Kernel['buffers'] =>
  [bias, addend].filter((t) => t !== undefined).map((tensor) => ({ tensor, access: 'read' as const }));

function productKernel(product: Product, tile: MatmulTile, cols: number): Kernel {
  const { direction, left, w, out } = product;
  const nt = direction === 'nt';
  const depth = left.cols;
  const split = tile.split ?? 1;
  const bare = split > 1;
  const tiled = tile.kind === 'tiled';
  const step = depth % 4 === 0 ? 4 : 1;
  const vectorOut = cols % 4 === 0 && !(nt && tiled);
  if (tiled && (step !== 4 || cols % 4 !== 0))
    throw new Error(`${out.name}: a staged product needs multiples of 4, not [.., ${depth}] x [.., ${cols}]`);
  const depths = depth / step;
  const c: WgslConstants = {
    ...(bare ? { BIAS: false, ADDEND: false } : epilogue(product)),
    PARTED: bare,
    WEIGHT: weightAccess('w', 2, w),
    L: step === 4 ? 'vec4f' : 'f32',
    O: vectorOut ? 'vec4f' : 'f32',
    O4: vectorOut,
    AT: (nt ? step === 4 : vectorOut) ? '4' : '',
    STEP: step,
    R: tile.rows,
    C: tile.cols,
    Q: vectorOut ? tile.cols / 4 : tile.cols,
    WGX: tile.wgX,
    WGY: tile.wgY,
    BK: tile.depth ?? 0,
  };
  const body = nt ? (tiled ? ntTiledWgsl : ntDirectWgsl) : tiled ? nnTiledWgsl : nnDirectWgsl;
  const perGroupX = tile.cols * tile.wgX;
  const perGroupY = tile.rows * tile.wgY;
  return {
    name: `matmul/${direction}`,
    code: expandWgsl(`${headWgsl}\n${body}`, c),
    buffers: [
      { tensor: left, access: 'read' },
      { tensor: w, access: 'read' },
      { tensor: out, access: 'read_write' },
      ...(bare ? [] : epilogueBuffers(product)),
    ],
    uniforms: uniforms(product, {
      cols,
      columns: vectorOut ? cols / 4 : cols,
      depths,
      parts: split,
      // Whole stages a part, so that only the last one is ragged.
      chunk: roundUp(Math.ceil(depths / split), (tile.depth ?? 4) / 4),
    }),
    workgroups: (dims) => [Math.ceil(cols / perGroupX), Math.ceil(size(dims, left.rows) / perGroupY), split],
    cost: (dims) => productCost(product, cols, dims),
  };
}

function productCost({ left, w, bias, addend }: Product, cols: number, dims: Dims) {
  const rows = size(dims, left.rows);
  return {
    flops: 2 * rows * left.cols * cols,
    bytes:
      4 * rows * (left.cols + cols * (addend ? 2 : 1)) +
      left.cols * cols * BYTES[w.dtype] +
      (bias ? 4 * cols : 0),
  };
}

function reduceKernel(product: Product, parts: Tensor, split: number, cols: number): Kernel {
  const vector = cols % 4 === 0;
  const columns = vector ? cols / 4 : cols;
  const type = vector ? 'vec4f' : 'f32';
  return {
    name: `matmul/${product.direction}/reduce`,
    code: expandWgsl(`${headWgsl}\n${reduceWgsl}`, {
      ...epilogue(product),
      // The parts come as `left`; binding 2 stays as in the products, with the frozen weight unread.
      WEIGHT: weightAccess('w', 2, product.w),
      L: type,
      O: type,
      PARTED: false,
    }),
    buffers: [
      { tensor: parts, access: 'read' },
      { tensor: product.w, access: 'read' },
      { tensor: product.out, access: 'read_write' },
      ...epilogueBuffers(product),
    ],
    uniforms: uniforms(product, { cols, columns, depths: 0, parts: split, chunk: 0 }),
    workgroups: (dims) => grid(size(dims, product.left.rows) * columns, 64),
    cost: (dims) => {
      const outputs = size(dims, product.left.rows) * cols;
      return { flops: outputs * split, bytes: 4 * outputs * (split + 1) };
    },
  };
}

interface Sizes {
  cols: number;
  columns: number;
  depths: number;
  parts: number;
  chunk: number;
}

/** The uniform block of `head.wgsl`. */
function uniforms({ left, alpha = 1 }: Product, sizes: Sizes): Uniform[] {
  const { cols, columns, depths, parts, chunk } = sizes;
  return [u32(left.rows), ...[cols, columns, depths, parts, chunk].map((value) => u32(value)), f32(alpha)];
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
