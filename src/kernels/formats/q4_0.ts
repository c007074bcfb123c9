import { halfOf, SCALED, signed, type WeightFormat } from './format.ts';

/** 32 values: d, 16 bytes of nibbles, low ones values 0 to 15; q - 8. A pair is 9 words. */
export const q4_0: WeightFormat = {
  block: 32,
  blockBytes: 18,
  oddHalf: 0,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> f32 { return ${halfOf('(g >> 1u) * 9u', 'g & 1u')}; }
fn W_quad(i: u32) -> vec4f {
  let word = (W[(i >> 4u) * 9u + 1u + ((i >> 1u) & 4u) + (i & 3u)] << (4u - (i & 4u))) ^ 0x80808080u;
  return ${signed(4)};
}
${SCALED}`,
  },
};
