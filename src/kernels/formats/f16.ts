import type { WeightFormat } from './format.ts';

/** Half precision, two a word; natively where the adapter has shader-f16. */
export const f16: WeightFormat = {
  block: 1,
  blockBytes: 2,
  wgsl: {
    element: 'vec2u',
    code: `
fn W_at(i: u32) -> f32 {
  let words = W[i >> 2u];
  return unpack2x16float(select(words.x, words.y, (i & 2u) != 0u))[i & 1u];
}
fn W_at4(i: u32) -> vec4f {
  let words = W[i];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}`,
    native: {
      element: 'vec4h',
      code: `
fn W_at(i: u32) -> f32 { return f32(W[i >> 2u][i & 3u]); }
fn W_at4(i: u32) -> vec4f { return vec4f(W[i]); }`,
    },
  },
};
