import { SCALED_FROM, unsigned, type WeightFormat } from './format.ts';
import { kScales } from './k_scales.ts';
/** 256 values in groups of 32: d, dmin, 8 packed 6-bit (scale, minimum), 128 bytes of nibbles. 36 words. */
export const q4_k: WeightFormat = {
  block: 256,
  blockBytes: 144,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
${kScales(36)}
fn W_quad(i: u32) -> vec4f {
  let word = W[(i >> 6u) * 36u + 4u + ((i >> 1u) & 24u) + (i & 7u)] << (4u - ((i >> 1u) & 4u));
  return ${unsigned(4)};
}
${SCALED_FROM}`,
  },
};
