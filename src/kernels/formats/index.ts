/**
 * The formats in which frozen weights stay on the GPU, one file each: block layout, its reader in WGSL, and how blocks are laid out on
 * the way in. The processor's reading of the same blocks, which the tests hold against these, is `weights/blocks.ts`.
 */
import { bf16 } from './bf16.ts';
import { f16 } from './f16.ts';
import { f32 } from './f32.ts';
import { pairBlocks, type WeightFormat } from './format.ts';
import { q2_k } from './q2_k.ts';
import { q3_k } from './q3_k.ts';
import { q4_0 } from './q4_0.ts';
import { q4_1 } from './q4_1.ts';
import { q4_k } from './q4_k.ts';
import { q5_0 } from './q5_0.ts';
import { q5_1 } from './q5_1.ts';
import { q5_k } from './q5_k.ts';
import { q6_k } from './q6_k.ts';
import { q8_0 } from './q8_0.ts';

/** One line a format. Names are those of the published dtypes, in lower case. */
const FORMATS = {
  f32,
  f16,
  bf16,
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
} as const satisfies Record<string, WeightFormat>;

export type WeightDtype = keyof typeof FORMATS;
export const weightDtypes = Object.keys(FORMATS) as WeightDtype[];

export const formatOf = (dtype: WeightDtype): WeightFormat => FORMATS[dtype];

/** Whether rows of that width can be stored so: they are whole blocks. */
export const holdsRows = (dtype: WeightDtype, cols: number): boolean => cols % FORMATS[dtype].block === 0;

/** Bytes of that many values as they are published. */
export const publishedBytes = (dtype: WeightDtype, count: number): number =>
  (count / FORMATS[dtype].block) * FORMATS[dtype].blockBytes;

/** A matrix may be laid out and written in pieces of whole multiples of these bytes, and what is left at its end. */
export function uploadUnit(dtype: WeightDtype): number {
  const { block, blockBytes, oddHalf }: WeightFormat = FORMATS[dtype];
  return block === 1 ? 4 : oddHalf === undefined ? blockBytes : 2 * blockBytes;
}

/** Bytes of a matrix, in whole words where its format packs several values in one. */
export function formatBytes(dtype: WeightDtype, count: number): number {
  const bytes = publishedBytes(dtype, count);
  return FORMATS[dtype].block > 1 ? Math.ceil(bytes / 4) * 4 : bytes;
}

/**
 * Published bytes as the shaders read them; the same array where nothing changes. A matrix may come in pieces, see `uploadUnit`.
 */
export function layOut(dtype: WeightDtype, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { blockBytes, oddHalf }: WeightFormat = FORMATS[dtype];
  return oddHalf === undefined ? bytes : pairBlocks(bytes, blockBytes, oddHalf);
}
