import { BYTES_OF, SCALED_FROM, type WeightFormat } from './format.ts';
import { kScales } from './k_scales.ts';

/** As Q4_K with 32 bytes of fifth bits before the nibbles: bit g of byte l belongs to value l of group g. 44 words. */
export const q5_k: WeightFormat = {
  block: 256,
  blockBytes: 176,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
${kScales(44)}
fn W_quad(i: u32) -> vec4f {
  let block = (i >> 6u) * 44u + 4u;
  let fifth = vec4u(W[block + (i & 7u)] >> ((i >> 3u) & 7u)) >> vec4u(0u, 8u, 16u, 24u);
  let word = W[block + 8u + ((i >> 1u) & 24u) + (i & 7u)] >> ((i >> 1u) & 4u);
  return vec4f(vec4i(((${BYTES_OF}) & vec4u(15u)) | ((fifth & vec4u(1u)) << vec4u(4u))));
}
${SCALED_FROM}`,
  },
};
