import { SCALED_FROM, unsigned, type WeightFormat } from './format.ts';

/** 32 values: d, m, 16 bytes of nibbles, low ones values 0 to 15; d q + m. 5 words. */
export const q4_1: WeightFormat = {
  block: 32,
  blockBytes: 20,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> vec2f { return unpack2x16float(W[g * 5u]); }
fn W_quad(i: u32) -> vec4f {
  let word = W[(i >> 3u) * 5u + 1u + (i & 3u)] << (4u - (i & 4u));
  return ${unsigned(4)};
}
${SCALED_FROM}`,
  },
};
