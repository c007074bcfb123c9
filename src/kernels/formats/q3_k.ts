import { BYTES_OF, SCALED, type WeightFormat } from './format.ts';

/** 256 values in groups of 16: 32 bytes of third bits, 64 of 2-bit values, 12 of packed 6-bit scales, d. A pair is 55 words. */
export const q3_k: WeightFormat = {
  block: 256,
  blockBytes: 110,
  oddHalf: 108,
  group: 16,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> f32 {
  let pair = (g >> 5u) * 55u;
  let odd = (g >> 4u) & 1u;
  let scales = pair + 1u + odd * 27u + 24u;
  let low = (W[scales + ((g >> 2u) & 1u)] >> (8u * (g & 3u) + ((g >> 1u) & 4u))) & 15u;
  let high = (W[scales + 2u] >> (8u * (g & 3u) + ((g >> 1u) & 6u))) & 3u;
  return unpack2x16float(W[pair])[odd] * f32(i32(low | (high << 4u)) - 32);
}
fn W_quad(i: u32) -> vec4f {
  let block = (i >> 7u) * 55u + 1u + ((i >> 6u) & 1u) * 27u;
  let third = vec4u(W[block + (i & 7u)] >> ((i >> 3u) & 7u)) >> vec4u(0u, 8u, 16u, 24u);
  let word = W[block + 8u + ((i >> 2u) & 8u) + (i & 7u)] >> ((i >> 2u) & 6u);
  return vec4f(vec4i(((${BYTES_OF}) & vec4u(3u)) | ((third & vec4u(1u)) << vec4u(2u))) - vec4i(4));
}
${SCALED}`,
  },
};
