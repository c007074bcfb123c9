import { halfOf, SCALED, signed, type WeightFormat } from './format.ts';

/** 32 values: d, 32 signed bytes. A pair is 17 words. */
export const q8_0: WeightFormat = {
  block: 32,
  blockBytes: 34,
  oddHalf: 0,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> f32 { return ${halfOf('(g >> 1u) * 17u', 'g & 1u')}; }
fn W_quad(i: u32) -> vec4f {
  let word = W[(i >> 4u) * 17u + 1u + (i & 15u)];
  return ${signed(8)};
}
${SCALED}`,
  },
};
