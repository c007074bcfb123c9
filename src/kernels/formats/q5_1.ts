import { BYTES_OF, SCALED_FROM, type WeightFormat } from './format.ts';

/** 32 values: d, m, a word of fifth bits, 16 bytes of nibbles; d q + m. 6 words. */
export const q5_1: WeightFormat = {
  block: 32,
  blockBytes: 24,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> vec2f { return unpack2x16float(W[g * 6u]); }
fn W_quad(i: u32) -> vec4f {
  let block = (i >> 3u) * 6u + 1u;
  let fifth = (vec4u(W[block] >> (4u * (i & 7u))) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u);
  let word = W[block + 1u + (i & 3u)] >> (i & 4u);
  return vec4f(vec4i(((${BYTES_OF}) & vec4u(15u)) | (fifth << vec4u(4u))));
}
${SCALED_FROM}`,
  },
};
