import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PreludeError } from '../errors.ts';
import { dequantize } from './blocks.ts';
import { toFloat32 } from './decode.ts';
import { openSafetensors } from './safetensors.ts';
import { bytesSource } from './source.ts';
import type { BlockType } from './types.ts';

const TYPES: BlockType[] = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'];

const golden = (type: string) =>
  openSafetensors(bytesSource(readFileSync(new URL(`testdata/${type}.safetensors`, import.meta.url)), type));

/** Index of the first value whose bits differ, -1 if none: -0 is not 0, and NaN equals itself. */
function firstDifference(actual: Float32Array, expected: Float32Array): number {
  const [a, b] = [new Uint32Array(actual.buffer), new Uint32Array(expected.buffer)];
  return a.length === b.length ? a.findIndex((bits, i) => bits !== b[i]) : 0;
}

describe('dequantize', () => {
  it.each(TYPES)('%s is bit-equal to ggml on quantised data and on any bit pattern', async (type) => {
    const file = await golden(type);
    for (const kind of ['real', 'random']) {
      const expected = toFloat32(await file.read(`${kind}.values`), 'F32');
      const actual = dequantize(await file.read(`${kind}.blocks`), type, expected.length);
      expect(firstDifference(actual, expected)).toBe(-1);
    }
  });

  it.each(['F16', 'BF16'] as const)('%s values are those of the reference', async (type) => {
    const file = await golden(type);
    for (const kind of ['real', 'random']) {
      const expected = toFloat32(await file.read(`${kind}.values`), 'F32');
      const actual = toFloat32(await file.read(`${kind}.blocks`), type);
      expect(firstDifference(actual, expected)).toBe(-1);
    }
  });

  it('refuses bytes that are not the blocks of that many values', () => {
    expect(() => dequantize(new Uint8Array(17), 'Q4_0', 32)).toThrow(PreludeError);
    expect(() => dequantize(new Uint8Array(18), 'Q4_0', 31)).toThrow(/31 values/);
  });
});
