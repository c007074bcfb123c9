import { halfOf, SCALED, signed, type WeightFormat } from './format.ts';

/** 256 values in groups of 16: 128 bytes of low nibbles, 64 of upper 2 bits, 16 signed scales, d; q - 32. A pair is 105 words. */
export const q6_k: WeightFormat = {
  block: 256,
  blockBytes: 210,
  oddHalf: 208,
  group: 16,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> f32 {
  let pair = (g >> 5u) * 105u;
  let odd = (g >> 4u) & 1u;
  let word = W[pair + 1u + odd * 52u + 48u + ((g >> 2u) & 3u)];
  return ${halfOf('pair', 'odd')} * f32(i32(word << (24u - 8u * (g & 3u))) >> 24u);
}
fn W_quad(i: u32) -> vec4f {
  let block = (i >> 7u) * 105u + 1u + ((i >> 6u) & 1u) * 52u;
  let high = (W[block + 32u + ((i >> 2u) & 8u) + (i & 7u)] >> ((i >> 2u) & 6u)) & 0x03030303u;
  let low = (W[block + ((i >> 1u) & 16u) + (i & 15u)] >> ((i >> 2u) & 4u)) & 0x0f0f0f0fu;
  let word = ((low | (high << 4u)) << 2u) ^ 0x80808080u;
  return ${signed(6)};
}
${SCALED}`,
  },
};
