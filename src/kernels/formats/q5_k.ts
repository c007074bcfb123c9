import { SCALED_FROM, unsigned, type WeightFormat } from './format.ts';
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
  let fifth = (W[block + (i & 7u)] >> ((i >> 3u) & 7u)) & 0x01010101u;
  let low = (W[block + 8u + ((i >> 1u) & 24u) + (i & 7u)] >> ((i >> 1u) & 4u)) & 0x0f0f0f0fu;
  let word = (low | (fifth << 4u)) << 3u;
  return ${unsigned(5)};
}
${SCALED_FROM}`,
  },
};
