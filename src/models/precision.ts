import { formatBytes, holdsRows, type WeightDtype, weightDtypes } from '../kernels/index.ts';
import type { DType } from '../weights/index.ts';

/**
 * How frozen matrices are kept on the GPU: as they are stored, or those of f32, f16 and bf16 in blocks of 8 or 4 bits. Blocks that
 * are stored stay what they are.
 */
export const PRECISIONS = ['stored', 'q8_0', 'q4_0'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** The smallest format a matrix may be brought to: token tables and heads keep 8 bits, positions stay as they are. */
export type Floor = 'q4_0' | 'q8_0' | 'stored';

const isResident = (name: string): name is WeightDtype => (weightDtypes as string[]).includes(name);

/** Format in GPU memory of a published dtype: its own where the shaders read it; 8-bit floats are exact as halves; else f32. */
export function storedFormat(dtype: DType): WeightDtype {
  const own = dtype.toLowerCase();
  if (isResident(own)) return own;
  return dtype.startsWith('F8_') ? 'f16' : 'f32';
}

/** Dtype of a published matrix once it is turned round: halves of both kinds stay what they are, of all else f32 values are made. */
export const turnedDtype = (dtype: DType): DType => (dtype === 'F16' || dtype === 'BF16' ? dtype : 'F32');

/** Published name of a format. */
export const publishedDtype = (format: WeightDtype): DType => format.toUpperCase() as DType;

/** Format of a matrix with rows of `cols` values. Rows that are no whole blocks stay as they are stored. */
export function keptFormat(
  dtype: DType,
  cols: number,
  precision: Precision,
  floor: Floor = 'q4_0',
): WeightDtype {
  const stored = storedFormat(dtype);
  if (precision === 'stored' || floor === 'stored' || !holdsRows('q8_0', cols)) return stored;
  if (stored !== 'f32' && stored !== 'f16' && stored !== 'bf16') return stored;
  return formatBytes(floor, 256) > formatBytes(precision, 256) ? floor : precision;
}
