/**
 * Half precision (IEEE 754 binary16) and bfloat16, by bit patterns: Node 20 and older browsers have neither
 * Float16Array nor DataView.getFloat16.
 */
const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

let table: Float32Array | undefined;

/** The values of all 65,536 half-precision bit patterns, made on first use. */
export function halfTable(): Float32Array {
  if (table) return table;
  table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    let value: number;
    if (exponent === 31) value = mantissa ? Number.NaN : Number.POSITIVE_INFINITY;
    else if (exponent === 0) value = mantissa * 2 ** -24;
    else value = (1024 + mantissa) * 2 ** (exponent - 25);
    table[bits] = bits & 0x8000 ? -value : value;
  }
  return table;
}

/** The value of a half-precision bit pattern. */
export function halfToFloat(bits: number): number {
  return halfTable()[bits & 0xffff]!;
}

/** The half-precision bit pattern nearest to a float32, ties to even; beyond 65,504 infinity, NaN stays NaN. */
export function floatToHalf(value: number): number {
  scratchFloat[0] = value;
  const bits = scratchBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520 lies half-way between the largest half and 2^16: from there on the nearest is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Up to 2^-25 (half of the smallest subnormal, a tie with the even 0) everything is zero.
  if (magnitude <= 0x33000000) return sign;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  const floor = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return sign | (rest > middle || (rest === middle && floor & 1) ? floor + 1 : floor);
}

/** The value of a bfloat16 bit pattern: the upper half of a float32. */
export function bfloat16ToFloat(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratchFloat[0]!;
}

/** The bfloat16 bit pattern nearest to a float32, ties to even; NaN stays NaN. */
export function floatToBfloat16(value: number): number {
  scratchFloat[0] = value;
  const bits = scratchBits[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffffffff) >>> 16;
}

/** Float32 values as the bytes of half-precision ones, little-endian. */
export function toHalfBytes(values: Float32Array): Uint8Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = floatToHalf(values[i]!);
  return new Uint8Array(bits.buffer);
}
