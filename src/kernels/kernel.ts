/**
 * What a kernel is to the rest of the engine: text, buffers, and functions of the sizes that change from batch to batch.
 * Plain data; no GPU object is touched before a program is built.
 */
import type { BufferAccess } from '../gpu/index.ts';
import type { MatmulTile } from './matmul/tiles.ts';

/**
 * Sizes and scalars of one batch by name: `T` packed encoder tokens, `D` packed decoder tokens, `S` sequences, `N` label rows,
 * and scalars such as `step`. Everything else is known when a program is built.
 */
export type Dims = Readonly<Record<string, number>>;

/** A number of rows: fixed, or the name of one of `Dims`. */
export type Size = number | string;

export type Dtype = 'f32' | 'f16' | 'u32';

/** A matrix [rows, cols], row-major. `f16` is two halves a u32 word, so its buffers work without shader-f16. */
export interface Tensor {
  readonly id: number;
  readonly name: string;
  readonly rows: Size;
  readonly cols: number;
  readonly dtype: Dtype;
  /** `weight`: frozen, uploaded once. `input`: written for every batch. `state`: kept between steps. `activation`: planned. */
  readonly kind: 'weight' | 'input' | 'state' | 'activation';
}

export interface Uniform {
  type: 'u32' | 'f32';
  value(dims: Dims): number;
}

export interface Kernel {
  /** `<op>/<direction>`, for profiles and errors. */
  name: string;
  /** Complete WGSL. Binding 0 is the uniform block of `uniforms` in order; then `buffers` in order. */
  code: string;
  buffers: { tensor: Tensor; access: BufferAccess }[];
  uniforms: Uniform[];
  workgroups(dims: Dims): [x: number, y: number, z: number];
  /** What the arithmetic needs at least: floating-point operations (a multiply and an add as two) and bytes moved. */
  cost(dims: Dims): { flops: number; bytes: number };
}

export const size = (dims: Dims, rows: Size): number => {
  if (typeof rows === 'number') return rows;
  const value = dims[rows];
  if (value === undefined) throw new Error(`no size named ${rows} among ${Object.keys(dims).join(', ')}`);
  return value;
};

/** A uniform that holds a number of rows, or any scalar of the batch. */
export const u32 = (rows: Size): Uniform => ({ type: 'u32', value: (dims) => size(dims, rows) });
export const f32 = (value: Size): Uniform => ({ type: 'f32', value: (dims) => size(dims, value) });

export const BYTES: Record<Dtype, number> = { f32: 4, f16: 2, u32: 4 };
export const tensorBytes = (tensor: Tensor, dims: Dims): number =>
  size(dims, tensor.rows) * tensor.cols * BYTES[tensor.dtype];

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

/** Most workgroups WebGPU guarantees along one axis. */
const MAX_GROUPS = 65_535;

/**
 * Workgroups for `count` items, `perGroup` each. Above 65,535 groups they fold into y; kernels take their index from
 * `group.y * 65535 + group.x` and leave those past the end.
 */
export function grid(count: number, perGroup: number): [number, number, number] {
  const groups = Math.max(1, ceilDiv(count, perGroup));
  return groups <= MAX_GROUPS ? [groups, 1, 1] : [MAX_GROUPS, ceilDiv(groups, MAX_GROUPS), 1];
}

/** What kernels may use and prefer on a device. */
export interface KernelTraits {
  /**
   * Invocations that share a row in row-wise reductions. 1 on software adapters, where a barrier costs more than the
   * parallelism brings; 64 on GPUs.
   */
  rowLanes: number;
  /** The largest value of each size a program is built for; tiles are chosen for it. */
  capacity?: Dims;
  /** Tiles measured on this device, by `tileKey` of the matmul room; what is missing gets a default. */
  matmulTiles?: ReadonlyMap<string, MatmulTile>;
}
