import { expandWgsl } from '../../gpu/index.ts';
import {
  grid,
  type Kernel,
  type KernelTraits,
  type Size,
  size,
  type Tensor,
  type Uniform,
  u32,
} from '../kernel.ts';
import { laneConstants } from '../lanes.ts';
import type { Builder } from '../op.ts';
import { rowNormsOnnx, sumSquaresOnnx } from './onnx.ts';
import rowSquaresWgsl from './row_squares.wgsl?raw';
import sumWgsl from './sum.wgsl?raw';

/** Some rows of a matrix. */
export interface RowRange {
  first: Size;
  count: Size;
}

/** out[slot] = sum of x^2 over the rows of `range`, or over all; for L2 norms of gradients and layers. x [M, d]. */
export function sumSquares(b: Builder, x: Tensor, out: Tensor, slot: number, range?: RowRange): void {
  const rows = range?.count ?? x.rows;
  const parts = b.tensor(`${x.name}.rowSquares`, rows, 1);
  b.record({
    op: 'sum_squares',
    inputs: [x, out],
    outputs: [out, parts],
    kernels: [rowSquaresKernel(b.traits, x, parts, { range }), sumKernel(b.traits, parts, out, { slot })],
    onnx: range ? undefined : (e) => sumSquaresOnnx(e, x, out, slot),
  });
}

/**
 * The L2 norm of each row of x [P, d] into out [P, 1]; with `minus` [P, d], how far each row is from that one's.
 */
export function rowNorms(b: Builder, x: Tensor, out: Tensor, minus?: Tensor): void {
  b.record({
    op: 'row_norms',
    inputs: minus ? [x, minus] : [x],
    outputs: [out],
    kernels: [rowSquaresKernel(b.traits, x, out, { minus, root: true })],
    onnx: (e) => rowNormsOnnx(e, x, out, minus),
  });
}

/** out[at + i] = sum of (x - minus)^2 over row i of the range, or its square root. */
export function rowSquaresKernel(
  traits: KernelTraits,
  x: Tensor,
  out: Tensor,
  settings: { range?: RowRange; minus?: Tensor; root?: boolean; at?: number } = {},
): Kernel {
  const { range = { first: 0, count: x.rows }, minus, root = false, at = 0 } = settings;
  const vector = x.cols % 4 === 0;
  const rowsPerGroup = traits.rowLanes === 1 ? 4 : 1;
  return {
    name: 'reduce/row_squares',
    code: expandWgsl(rowSquaresWgsl, {
      VECTOR: vector,
      V: vector ? 'vec4f' : 'f32',
      WIDTH: vector ? x.cols / 4 : x.cols,
      ...laneConstants(traits, 'f32'),
      MINUS: minus !== undefined,
      ROOT: root,
    }),
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: out, access: 'read_write' },
      ...(minus ? [{ tensor: minus, access: 'read' as const }] : []),
    ],
    uniforms: [u32(range.first), u32(range.count), u32(at)],
    workgroups: (dims) => grid(size(dims, range.count), rowsPerGroup),
    cost: (dims) => ({
      flops: (minus ? 3 : 2) * size(dims, range.count) * x.cols,
      bytes: (minus ? 8 : 4) * size(dims, range.count) * x.cols,
    }),
  };
}

const constant = (type: Uniform['type'], value: number): Uniform => ({ type, value: () => value });

/**
 * out[slot] = scale * sum of all entries of x; added to what out[slot] held where `accumulate` is not 0. Always in the same order.
 */
export function sumKernel(
  traits: KernelTraits,
  x: Tensor,
  out: Tensor,
  settings: { slot?: number; scale?: Uniform; accumulate?: Uniform } = {},
): Kernel {
  const { slot = 0, scale = constant('f32', 1), accumulate = constant('u32', 0) } = settings;
  const count: Uniform = { type: 'u32', value: (dims) => size(dims, x.rows) * x.cols };
  return {
    name: 'reduce/sum',
    code: expandWgsl(sumWgsl, { LANES: traits.rowLanes, SLOT: slot }),
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: out, access: 'read_write' },
    ],
    uniforms: [count, accumulate, scale],
    workgroups: () => [1, 1, 1],
    cost: (dims) => ({ flops: count.value(dims), bytes: 4 * count.value(dims) }),
  };
}

/** The slow clear version, in float64: the sum of (x - minus)^2 of each row. */
export function rowSquaresReference(
  x: ArrayLike<number>,
  cols: number,
  minus?: ArrayLike<number>,
): Float64Array {
  const squares = new Float64Array(x.length / cols);
  for (let i = 0; i < x.length; i++) squares[Math.floor(i / cols)] += (x[i] - (minus ? minus[i] : 0)) ** 2;
  return squares;
}
