import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dequantize } from './blocks.ts';
import { toFloat32 } from './decode.ts';
import { type QuantizedType, quantize } from './quantize.ts';
import { openSafetensors } from './safetensors.ts';
import { bytesSource } from './source.ts';

const golden = (type: string) =>
  openSafetensors(bytesSource(readFileSync(new URL(`testdata/${type}.safetensors`, import.meta.url)), type));

describe.each<QuantizedType>(['Q8_0', 'Q4_0'])('quantize, %s', (type) => {
  it('writes the blocks that ggml writes', async () => {
    const file = await golden(type);
    const source = toFloat32(await file.read('real.source'), 'F32');
    expect(quantize(source, type)).toEqual(new Uint8Array(await file.read('real.blocks')));
  });

  it('takes zeros, and values that lie half-way between two steps, as ggml does', () => {
    const zeros = dequantize(quantize(new Float32Array(32), type), type, 32);
    expect(zeros.every((value) => value === 0)).toBe(true);
    // Largest magnitude 127 makes d exactly 1; halves go away from zero. -8 makes Q4_0's d 1; there they go up.
    const ties =
      type === 'Q8_0' ? [127, 0.5, -0.5, 1.5, -2.5, 126.5, -127] : [-8, 0.5, -0.5, 1.5, -2.5, 6.5, 7];
    const expected = type === 'Q8_0' ? [127, 1, -1, 2, -3, 127, -127] : [-8, 1, 0, 2, -2, 7, 7];
    const values = new Float32Array(32);
    values.set(ties);
    const got = dequantize(quantize(values, type), type, 32);
    expect([...got.subarray(0, ties.length)].map((value) => value + 0)).toEqual(expected);
  });

  it('errs by at most half a step of its block', () => {
    const values = Float32Array.from({ length: 320 }, (_, i) => Math.sin(i * 12.9898) * (1 + (i >> 5)));
    const got = dequantize(quantize(values, type), type, 320);
    for (let block = 0; block < 10; block++) {
      const own = values.subarray(32 * block, 32 * block + 32);
      const most = Math.max(...own.map(Math.abs));
      // Q4_0 has no level at its largest magnitude on the other side: a whole step there.
      const step = type === 'Q8_0' ? most / 127 / 2 : most / 8;
      own.forEach((value, i) => {
        // The scale itself is rounded to a half.
        expect(Math.abs(value - got[32 * block + i]!)).toBeLessThan(step + most * 2 ** -11);
      });
    }
  });

  it('refuses what cannot be blocks', () => {
    expect(() => quantize(new Float32Array(31), type)).toThrow(/31 values/);
    expect(() => quantize(new Float32Array(32).fill(Number.NaN), type)).toThrow(/not finite/);
  });
});
