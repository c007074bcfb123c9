import { SCALED_FROM, unsigned, type WeightFormat } from './format.ts';

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
  // Four neighbouring bits, one into each byte.
  let fifth = (((W[block] >> (4u * (i & 7u))) & 15u) * 0x00204081u) & 0x01010101u;
  let low = (W[block + 1u + (i & 3u)] >> (i & 4u)) & 0x0f0f0f0fu;
  let word = (low | (fifth << 4u)) << 3u;
  return ${unsigned(5)};
}
${SCALED_FROM}`,
  },
};
