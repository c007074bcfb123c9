import { halfOf, SCALED, signed, type WeightFormat } from './format.ts';

/** 32 values: d, a word of fifth bits, 16 bytes of nibbles; q - 16. A pair is 11 words. */
export const q5_0: WeightFormat = {
  block: 32,
  blockBytes: 22,
  oddHalf: 0,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> f32 { return ${halfOf('(g >> 1u) * 11u', 'g & 1u')}; }
fn W_quad(i: u32) -> vec4f {
  let block = (i >> 4u) * 11u + 1u + ((i >> 3u) & 1u) * 5u;
  // Four neighbouring bits, one into each byte.
  let fifth = (((W[block] >> (4u * (i & 7u))) & 15u) * 0x00204081u) & 0x01010101u;
  let low = (W[block + 1u + (i & 3u)] >> (i & 4u)) & 0x0f0f0f0fu;
  let word = ((low | (fifth << 4u)) << 3u) ^ 0x80808080u;
  return ${signed(5)};
}
${SCALED}`,
  },
};
