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

/** The bytes of four packed signed or unsigned values of a word, as WGSL. Signed conversions, which processors have natively. */
export const BYTES_OF = 'vec4u(word) >> vec4u(0u, 8u, 16u, 24u)';

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
