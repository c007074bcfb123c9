/**
 * What a kernel is to the rest of the engine: text, buffers, and functions of the sizes that change from batch to batch.
 * Plain data; no GPU object is touched before a program is built.
 */
import type { BufferAccess } from '../gpu/index.ts';
import { formatBytes, type WeightDtype } from './formats/index.ts';
import type { MatmulShape, MatmulTile } from './matmul/tiles.ts';

/**
 * Sizes and scalars of one batch by name: `T` packed encoder tokens, `D` packed decoder tokens, `S` sequences, `N` label rows,
 * and scalars such as `step`. Everything else is known when a program is built.
 */
export type Dims = Readonly<Record<string, number>>;

/** A number of rows: fixed, or the name of one of `Dims`. */
export type Size = number | string;

/** What a frozen weight may be; everything else is f32, or u32 for indices. */
export type Dtype = WeightDtype | 'u32';

/** A matrix [rows, cols], row-major. Formats smaller than f32 are for weights (see `formats/`). */
export interface Tensor {
  readonly id: number;
  readonly name: string;
  readonly rows: Size;
  readonly cols: number;
  readonly dtype: Dtype;
  /** `weight`: frozen, uploaded once. `input`: written for every batch. `state`: kept between steps. `activation`: planned. */
  readonly kind: 'weight' | 'input' | 'state' | 'activation';
  /**
   * Of a weight whose rows lie in several buffers, because their formats differ or one binding cannot hold them: the pieces in order,
   * each a weight of its own. Kernels bind the pieces; `dtype` is then theirs where all agree, else f32.
   */
  readonly pieces?: readonly Tensor[];
  /** Of rows of another weight, bound where they lie: that weight and the byte at which they begin. */
  readonly view?: { of: Tensor; offset: number };
}

/** Rows that a view may begin with: whole multiples, so that every format's rows begin at an offset that can be bound. */
export const VIEW_ROWS = 256;

/** `count` rows of a weight that is one buffer, from row `first`, a multiple of `VIEW_ROWS`. */
export function rowsOf(weight: Tensor, first: number, count: number): Tensor {
  if (weight.pieces || first % VIEW_ROWS !== 0)
    throw new Error(`${weight.name}: rows from ${first} on cannot be bound by themselves`);
  const offset = tensorBytes({ ...weight, rows: first }, {});
  return { ...weight, name: `${weight.name} [${first} ..]`, rows: count, view: { of: weight, offset } };
}

/** The buffers of a tensor: itself, or its pieces. */
export const piecesOf = (tensor: Tensor): readonly Tensor[] => tensor.pieces ?? [tensor];

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

export const isWeightDtype = (dtype: Dtype): dtype is WeightDtype => dtype !== 'u32';

/** Bytes in GPU memory, those of all pieces together. */
export function tensorBytes(tensor: Tensor, dims: Dims): number {
  if (tensor.pieces) return tensor.pieces.reduce((sum, piece) => sum + tensorBytes(piece, dims), 0);
  return formatBytes(
    isWeightDtype(tensor.dtype) ? tensor.dtype : 'f32',
    size(dims, tensor.rows) * tensor.cols,
  );
}

const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

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
  /** The device has shader-f16: f16 weights are read natively. Activations and sums stay f32. */
  shaderF16?: boolean;
  /** The device has subgroups: sums over the lanes of a row and of a head take them, and a search of tiles may. */
  subgroups?: boolean;
  /** The largest value of each size a program is built for; tiles are chosen for it. */
  capacity?: Dims;
  /** Tiles measured on this device, by `tileKey` of the matmul room; what is missing gets a default. */
  matmulTiles?: ReadonlyMap<string, MatmulTile>;
  /** Told of every product as it is recorded, for a search of tiles. */
  seeProduct?(shape: MatmulShape): void;
}
