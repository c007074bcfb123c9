import { BYTES_OF, SCALED, type WeightFormat } from './format.ts';

/** 32 values: d, a word of fifth bits, 16 bytes of nibbles; q - 16. A pair is 11 words. */
export const q5_0: WeightFormat = {
  block: 32,
  blockBytes: 22,
  oddHalf: 0,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> f32 { return unpack2x16float(W[(g >> 1u) * 11u])[g & 1u]; }
fn W_quad(i: u32) -> vec4f {
  let block = (i >> 4u) * 11u + 1u + ((i >> 3u) & 1u) * 5u;
  let fifth = (vec4u(W[block] >> (4u * (i & 7u))) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u);
  let word = W[block + 1u + (i & 3u)] >> (i & 4u);
  return vec4f(vec4i(((${BYTES_OF}) & vec4u(15u)) | (fifth << vec4u(4u))) - vec4i(16));
}
${SCALED}`,
  },
};
