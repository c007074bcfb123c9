import { halfTable } from './half.ts';
import { badWeights } from './problem.ts';
import { type BlockType, UNIT } from './types.ts';

/**
 * ggml's block quantisations, as `dequantize_row_*` of ggml-quants.c computes them in float32: a product of scales and a
 * small integer is exact there, so the one rounding is that of the last sum, which storing a float64 sum also makes.
 * Block layouts: `b` is the block's first byte; d, m, dmin are half-precision, integers little-endian.
 */
type Decoder = (x: Uint8Array, b: number, y: Float32Array, o: number, half: (at: number) => number) => void;

const DECODERS: Readonly<Record<BlockType, Decoder>> = {
  // d, 16 bytes of nibbles: low nibbles are values 0 to 15, high ones 16 to 31. q - 8.
  Q4_0(x, b, y, o, half) {
    const d = half(b);
    for (let i = 0; i < 16; i++) {
      const byte = x[b + 2 + i]!;
      y[o + i] = d * ((byte & 15) - 8);
      y[o + i + 16] = d * ((byte >> 4) - 8);
    }
  },
  // d, m, nibbles. d*q + m.
  Q4_1(x, b, y, o, half) {
    const d = half(b);
    const m = half(b + 2);
    for (let i = 0; i < 16; i++) {
      const byte = x[b + 4 + i]!;
      y[o + i] = d * (byte & 15) + m;
      y[o + i + 16] = d * (byte >> 4) + m;
    }
  },
  // d, 32 fifth bits, nibbles. q - 16.
  Q5_0(x, b, y, o, half) {
    const d = half(b);
    for (let i = 0; i < 16; i++) {
      const byte = x[b + 6 + i]!;
      y[o + i] = d * (((byte & 15) | (bit(x, b + 2, i) << 4)) - 16);
      y[o + i + 16] = d * (((byte >> 4) | (bit(x, b + 2, i + 16) << 4)) - 16);
    }
  },
  // d, m, 32 fifth bits, nibbles. d*q + m.
  Q5_1(x, b, y, o, half) {
    const d = half(b);
    const m = half(b + 2);
    for (let i = 0; i < 16; i++) {
      const byte = x[b + 8 + i]!;
      y[o + i] = d * ((byte & 15) | (bit(x, b + 4, i) << 4)) + m;
      y[o + i + 16] = d * ((byte >> 4) | (bit(x, b + 4, i + 16) << 4)) + m;
    }
  },
  // d, 32 signed bytes.
  Q8_0(x, b, y, o, half) {
    const d = half(b);
    for (let i = 0; i < 32; i++) y[o + i] = d * signed(x[b + 2 + i]!);
  },
  // 16 bytes of (scale, min) nibbles, one for 16 values each; 64 bytes of 2-bit values; d, dmin.
  Q2_K(x, b, y, o, half) {
    const d = half(b + 80);
    const dmin = half(b + 82);
    for (let i = 0; i < 256; i++) {
      const n = i >> 7;
      const j = (i >> 5) & 3;
      const l = i & 31;
      const s = x[b + 8 * n + 2 * j + (l >> 4)]!;
      const q = (x[b + 16 + 32 * n + l]! >> (2 * j)) & 3;
      y[o + i] = d * (s & 15) * q - dmin * (s >> 4);
    }
  },
  // 32 bytes of third bits (set: nothing to subtract), 64 of 2-bit values, 12 of packed 6-bit scales, d.
  Q3_K(x, b, y, o, half) {
    const d = half(b + 108);
    for (let i = 0; i < 256; i++) {
      const n = i >> 7;
      const j = (i >> 5) & 3;
      const l = i & 31;
      const k = 8 * n + 2 * j + (l >> 4);
      const low = k < 8 ? x[b + 96 + k]! & 15 : x[b + 88 + k]! >> 4;
      const s = (low | (((x[b + 104 + (k & 3)]! >> (2 * (k >> 2))) & 3) << 4)) - 32;
      const q = ((x[b + 32 + 32 * n + l]! >> (2 * j)) & 3) - ((x[b + l]! >> (4 * n + j)) & 1 ? 0 : 4);
      y[o + i] = d * s * q;
    }
  },
  // d, dmin, 8 packed 6-bit (scale, min) for 32 values each, 128 bytes of nibbles. d*s*q - dmin*m.
  Q4_K(x, b, y, o, half) {
    const d = half(b);
    const dmin = half(b + 2);
    for (let sub = 0; sub < 8; sub++) {
      const s = d * scaleOf(x, b + 4, sub);
      const m = dmin * minOf(x, b + 4, sub);
      const shift = 4 * (sub & 1);
      for (let l = 0; l < 32; l++)
        y[o + 32 * sub + l] = s * ((x[b + 16 + 32 * (sub >> 1) + l]! >> shift) & 15) - m;
    }
  },
  // As Q4_K with 32 bytes of fifth bits between scales and nibbles: bit `sub` of byte l.
  Q5_K(x, b, y, o, half) {
    const d = half(b);
    const dmin = half(b + 2);
    for (let sub = 0; sub < 8; sub++) {
      const s = d * scaleOf(x, b + 4, sub);
      const m = dmin * minOf(x, b + 4, sub);
      const shift = 4 * (sub & 1);
      for (let l = 0; l < 32; l++) {
        const low = (x[b + 48 + 32 * (sub >> 1) + l]! >> shift) & 15;
        y[o + 32 * sub + l] = s * (low | (((x[b + 16 + l]! >> sub) & 1) << 4)) - m;
      }
    }
  },
  // 128 bytes of low nibbles, 64 of upper 2 bits, 16 signed scales for 16 values each, d. q - 32.
  Q6_K(x, b, y, o, half) {
    const d = half(b + 208);
    for (let i = 0; i < 256; i++) {
      const n = i >> 7;
      const r = (i >> 5) & 3;
      const l = i & 31;
      const byte = x[b + 64 * n + 32 * (r & 1) + l]!;
      const low = r < 2 ? byte & 15 : byte >> 4;
      const q = (low | (((x[b + 128 + 32 * n + l]! >> (2 * r)) & 3) << 4)) - 32;
      y[o + i] = d * signed(x[b + 192 + 8 * n + 2 * r + (l >> 4)]!) * q;
    }
  },
};

/** Bit `i` of the bytes from `at` on. */
function bit(x: Uint8Array, at: number, i: number): number {
  return (x[at + (i >> 3)]! >> (i & 7)) & 1;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** The 6-bit scale of sub-block j of 8 in the 12 packed bytes of Q4_K and Q5_K. */
function scaleOf(x: Uint8Array, at: number, j: number): number {
  return j < 4 ? x[at + j]! & 63 : (x[at + j + 4]! & 15) | ((x[at + j - 4]! >> 6) << 4);
}

/** The 6-bit minimum of sub-block j. */
function minOf(x: Uint8Array, at: number, j: number): number {
  return j < 4 ? x[at + j + 4]! & 63 : (x[at + j + 4]! >> 4) | ((x[at + j]! >> 6) << 4);
}

/**
 * The `count` values of a sequence of blocks, as float32; bit-equal to ggml.
 * @param bytes the raw blocks, exactly as many as `count` needs
 * @throws PreludeError 'bad-weights' when bytes and count disagree
 */
export function dequantize(bytes: Uint8Array, dtype: BlockType, count: number): Float32Array {
  const [values, width] = UNIT[dtype];
  if (count % values !== 0 || bytes.byteLength !== (count / values) * width)
    throw badWeights(
      `${dtype} data`,
      `${count} values take ${Math.ceil(count / values)} blocks of ${width} bytes, there are ${bytes.byteLength} bytes.`,
    );
  const table = halfTable();
  const half = (at: number): number => table[bytes[at]! | (bytes[at + 1]! << 8)]!;
  const decode = DECODERS[dtype];
  const out = new Float32Array(count);
  for (let block = 0; block < count / values; block++)
    decode(bytes, block * width, out, block * values, half);
  return out;
}
