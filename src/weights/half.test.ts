import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFloat32 } from './decode.ts';
import {
  bfloat16ToFloat,
  floatToBfloat16,
  floatToHalf,
  halfTable,
  halfToFloat,
  toHalfBytes,
} from './half.ts';

/** The nearest representable value by search over all of them, ties to the even bit pattern: slow and plain. */
function nearestHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // Infinity stands at 2^16, where the next half would be.
  const at = (bits: number) => (bits === 0x7c00 ? 65536 : halfTable()[bits]!);
  let low = 0;
  let high = 0x7c00;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(middle) <= magnitude) low = middle;
    else high = middle;
  }
  const [below, above] = [magnitude - at(low), at(high) - magnitude];
  return sign | (below < above ? low : below > above ? high : low & 1 ? high : low);
}

describe('half precision', () => {
  it('gives back every one of the 65,536 bit patterns', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const noNumber = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
      const back = floatToHalf(halfToFloat(bits));
      if (noNumber) expect(back & 0x7fff).toBe(0x7e00);
      else expect(back).toBe(bits);
    }
  });

  it('knows the landmarks', () => {
    expect(halfToFloat(0x3c00)).toBe(1);
    expect(halfToFloat(0xc000)).toBe(-2);
    expect(halfToFloat(0x7bff)).toBe(65504);
    expect(halfToFloat(0x0001)).toBe(2 ** -24);
    expect(halfToFloat(0x0400)).toBe(2 ** -14);
    expect(Object.is(halfToFloat(0x8000), -0)).toBe(true);
    expect(floatToHalf(65519.99)).toBe(0x7bff);
    expect(floatToHalf(65520)).toBe(0x7c00);
    expect(floatToHalf(-Infinity)).toBe(0xfc00);
    expect(floatToHalf(2 ** -25)).toBe(0);
    expect(floatToHalf(Math.fround(2 ** -25 * 1.0001))).toBe(1);
    expect(floatToHalf(3 * 2 ** -25)).toBe(2);
    expect(floatToHalf(1 + 2 ** -11)).toBe(0x3c00);
    expect(floatToHalf(1 + 3 * 2 ** -11)).toBe(0x3c02);
  });

  it('rounds every float32 to the nearest half, ties to even', () => {
    const small = fc.float({ min: -70000, max: 70000, noNaN: true });
    const tiny = fc.float({ min: Math.fround(-0.001), max: Math.fround(0.001), noNaN: true });
    fc.assert(
      fc.property(fc.oneof(fc.float(), small, tiny), (value) => {
        expect(floatToHalf(value) & (Number.isNaN(value) ? 0x7fff : 0xffff)).toBe(nearestHalf(value));
      }),
      { numRuns: 3000 },
    );
  });

  it('toHalfBytes and toFloat32 agree', () => {
    const values = Float32Array.of(0, -1, 0.333251953125, 65504, Number.POSITIVE_INFINITY);
    expect(toFloat32(toHalfBytes(values), 'F16')).toEqual(values);
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32, rounded to nearest even', () => {
    expect(bfloat16ToFloat(0x3f80)).toBe(1);
    expect(floatToBfloat16(1 + 2 ** -8)).toBe(0x3f80);
    expect(floatToBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(floatToBfloat16(Number.POSITIVE_INFINITY)).toBe(0x7f80);
    expect(floatToBfloat16(3.4028234663852886e38)).toBe(0x7f80);
    expect(floatToBfloat16(-0)).toBe(0x8000);
    expect(floatToBfloat16(Number.NaN)).toBe(0x7fc0);
  });

  it('gives back every bit pattern that is a number', () => {
    for (let bits = 0; bits < 65536; bits++)
      if ((bits & 0x7f80) !== 0x7f80 || (bits & 0x7f) === 0)
        expect(floatToBfloat16(bfloat16ToFloat(bits))).toBe(bits);
  });
});

describe('toFloat32', () => {
  it('reads eight-bit floats as published', () => {
    expect([...toFloat32(Uint8Array.of(0x38, 0x7e, 0x01, 0xb8, 0x7f, 0x08), 'F8_E4M3')]).toEqual([
      1,
      448,
      2 ** -9,
      -1,
      Number.NaN,
      2 ** -6,
    ]);
    expect([...toFloat32(Uint8Array.of(0x3c, 0x7b, 0x01, 0xbc, 0x7c), 'F8_E5M2')]).toEqual([
      1,
      57344,
      2 ** -16,
      -1,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('reads bytes that lie at an odd place, into a new array', () => {
    const bytes = new Uint8Array(9);
    new DataView(bytes.buffer).setFloat32(1, 1.5, true);
    new DataView(bytes.buffer).setFloat32(5, -2, true);
    const values = toFloat32(bytes.subarray(1), 'F32');
    expect([...values]).toEqual([1.5, -2]);
    values[0] = 7;
    expect(new DataView(bytes.buffer).getFloat32(1, true)).toBe(1.5);
  });

  it('refuses integers and cut values', () => {
    expect(() => toFloat32(new Uint8Array(8), 'I64')).toThrow(/no floating-point weights/);
    expect(() => toFloat32(new Uint8Array(3), 'F16')).toThrow(/3 bytes/);
  });
});
