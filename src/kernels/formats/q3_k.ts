import { halfOf, SCALED, signed, type WeightFormat } from './format.ts';

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
  return ${halfOf('pair', 'odd')} * f32(i32(low | (high << 4u)) - 32);
}
fn W_quad(i: u32) -> vec4f {
  let block = (i >> 7u) * 55u + 1u + ((i >> 6u) & 1u) * 27u;
  let third = (W[block + (i & 7u)] >> ((i >> 3u) & 7u)) & 0x01010101u;
  let low = (W[block + 8u + ((i >> 2u) & 8u) + (i & 7u)] >> ((i >> 2u) & 6u)) & 0x03030303u;
  let word = ((low | (third << 2u)) << 5u) ^ 0x80808080u;
  return ${signed(3)};
}
${SCALED}`,
  },
};
