import type { WeightFormat } from './format.ts';

/** bfloat16, the upper halves of f32 values, two a word. */
export const bf16: WeightFormat = {
  block: 1,
  blockBytes: 2,
  wgsl: {
    element: 'vec2u',
    code: `
fn W_at(i: u32) -> f32 {
  let words = W[i >> 2u];
  let word = select(words.x, words.y, (i & 2u) != 0u);
  return bitcast<f32>(select(word << 16u, word & 0xffff0000u, (i & 1u) != 0u));
}
fn W_at4(i: u32) -> vec4f {
  let words = W[i];
  return bitcast<vec4f>(vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}`,
  },
};
