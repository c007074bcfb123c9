/**
 * How the frozen weights lie in GPU memory: one file a format, one line a format in `index.ts`. A format says how many bytes
 * its values take, how published bytes are laid out for the shaders, and in WGSL how the shaders read them. What the bytes mean
 * on the processor is `weights/`'s business; tests hold the two against each other, bit for bit.
 */
export interface WeightFormat {
  /** Values of a block; a row is a whole number of blocks. 1 where each value stands for itself. */
  block: number;
  /** Bytes of a block, in the published file and here: nothing is padded but the end of a matrix, to whole words. */
  blockBytes: number;
  /**
   * Where in a block its scale, a half-precision number, makes the block two bytes longer than whole words. Such blocks go to the GPU
   * in pairs, both scales in the first word: `[d0 d1][rest of block 0][rest of block 1]`, so that every other word is read whole.
   */
  oddHalf?: number;
  /** Values that share one scale; a divisor of `block`. Absent for formats without scales. */
  group?: number;
  /**
   * WGSL over `W: array<...>`, as `reader` hands it on. With a `group`: `W_scale(g)` of group g, `W_quad(i)` the integers of values
   * 4i .. 4i + 3 as f32, `W_value(q, s)` what they mean. Without: `W_at4(i)` values 4i .. 4i + 3, and `W_at(i)` value i.
   */
  wgsl: WgslReader;
}

export interface WgslReader {
  /** Element type of the array `W`. */
  element: string;
  code: string;
  /** Functions for rows that are no whole number of four values, where they differ. */
  unaligned?: { element: string; code: string };
  /** The same with shader-f16, where the format gains by it. */
  native?: { element: string; code: string };
}

/**
 * WGSL for four packed integers: the upper `bits` of each byte of `word`, as f32. They are first put together within the word, four at
 * a time, and then taken apart by shifts and one signed conversion, which all devices have natively. A value q - 2^(bits - 1), as
 * formats without a minimum have it, is q with its first bit turned over, read as signed.
 */
const apart = (kind: 'i' | 'u', bits: number) =>
  `vec4f(vec4i(vec4${kind}(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(${32 - bits}u)))`;
export const signed = (bits: number): string => apart('i', bits);
export const unsigned = (bits: number): string => apart('u', bits);

/** WGSL for the first half of word `at`, or the second where `odd` is 1. Indexing the pair would send it through memory on some devices. */
export const halfOf = (at: string, odd: string): string => `unpack2x16float(W[${at}] >> (16u * (${odd}))).x`;

/** Blocks whose values are `scale * q`. */
export const SCALED = 'fn W_value(q: vec4f, s: f32) -> vec4f { return s * q; }';

/** Blocks whose values are `scale * q + minimum`. */
export const SCALED_FROM = 'fn W_value(q: vec4f, s: vec2f) -> vec4f { return s.x * q + s.y; }';

/** Published blocks in pairs, see `oddHalf`. An odd block at the end stays alone, behind a word of its own. */
export function pairBlocks(bytes: Uint8Array, blockBytes: number, halfAt: number): Uint8Array<ArrayBuffer> {
  const blocks = bytes.byteLength / blockBytes;
  const rest = blockBytes - 2;
  const out = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  for (let block = 0; block < blocks; block++) {
    const from = block * blockBytes;
    const pair = (block >> 1) * 2 * blockBytes;
    const odd = block & 1;
    out[pair + 2 * odd] = bytes[from + halfAt];
    out[pair + 2 * odd + 1] = bytes[from + halfAt + 1];
    const to = pair + 4 + odd * rest;
    out.set(bytes.subarray(from, from + halfAt), to);
    out.set(bytes.subarray(from + halfAt + 2, from + blockBytes), to + halfAt);
  }
  return out;
}
