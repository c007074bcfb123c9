/** How the values of a tensor are stored: the dtypes of safetensors and the block types of ggml, by their published names. */
export type DType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'
  | BlockType;

/** ggml block quantisations: a row is a sequence of blocks of 32 or 256 values. */
export type BlockType =
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K';

/** Values and bytes of the smallest storable unit of a dtype: [1, 4] for F32, [32, 18] for Q4_0. */
export const UNIT: Readonly<Record<DType, readonly [values: number, bytes: number]>> = {
  F64: [1, 8],
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  F8_E4M3: [1, 1],
  F8_E5M2: [1, 1],
  I64: [1, 8],
  I32: [1, 4],
  I16: [1, 2],
  I8: [1, 1],
  U64: [1, 8],
  U32: [1, 4],
  U16: [1, 2],
  U8: [1, 1],
  BOOL: [1, 1],
  Q4_0: [32, 18],
  Q4_1: [32, 20],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q8_0: [32, 34],
  Q2_K: [256, 84],
  Q3_K: [256, 110],
  Q4_K: [256, 144],
  Q5_K: [256, 176],
  Q6_K: [256, 210],
};

/** True for the ggml block quantisations. */
export function isBlockType(dtype: DType): dtype is BlockType {
  return UNIT[dtype][0] > 1;
}

/** Where one tensor lies in its file. */
export interface TensorInfo {
  name: string;
  dtype: DType;
  /** Row-major, outermost dimension first; [] is a scalar. */
  shape: readonly number[];
  /** From the start of the file, in bytes. */
  byteOffset: number;
  byteLength: number;
}

/** An opened file of weights: its table of contents is in memory, its tensors are read one by one. */
export interface WeightFile {
  format: 'safetensors' | 'gguf' | 'pytorch';
  /** The file's name (the index's name for a sharded model), for messages. */
  name: string;
  tensors: ReadonlyMap<string, TensorInfo>;
  /** Safetensors: the strings of `__metadata__`. GGUF: its key-value pairs. */
  metadata: Readonly<Record<string, MetadataValue>>;
  /**
   * The raw bytes of a tensor, `byteLength` long, little-endian. The array may be a view of a larger buffer: neither
   * write to it nor transfer it.
   * @throws PreludeError 'bad-weights' when there is no such tensor or the file ends too early.
   */
  read(name: string): Promise<Uint8Array>;
  /**
   * `length` bytes of a tensor from its byte `offset` on (fewer where it ends before), without reading the rest of it.
   * Absent where a format's tensors are put together from several.
   */
  readPart?(name: string, offset: number, length: number): Promise<Uint8Array>;
}

/** A piece of a tensor's bytes, by `readPart` where the file has it, else out of the whole tensor. */
export async function readPart(
  weights: WeightFile,
  name: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  if (weights.readPart) return weights.readPart(name, offset, length);
  return (await weights.read(name)).subarray(offset, offset + length);
}

/** A value of a file's metadata. Integers beyond 2^53 are bigints. */
export type MetadataValue = string | number | bigint | boolean | readonly MetadataValue[];

/** Number of values of a shape; 1 for a scalar. The shape must already be checked. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Bytes of a tensor, or a sentence that says why there is no such tensor: sizes that are no natural numbers, products
 * beyond 2^53, rows that are no whole number of blocks.
 */
export function byteLengthOf(dtype: DType, shape: readonly unknown[]): number | string {
  const [values, bytes] = UNIT[dtype];
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      return `a size in its shape is ${String(size)}, which is no whole number from 0 up`;
    count *= size;
    if (count * bytes > Number.MAX_SAFE_INTEGER)
      return `its shape [${shape.join(', ')}] is larger than any file`;
  }
  const row = shape.length === 0 ? 1 : (shape[shape.length - 1] as number);
  if (row % values !== 0)
    return `its rows of ${row} values are no whole number of ${dtype} blocks of ${values}`;
  return (count / values) * bytes;
}
