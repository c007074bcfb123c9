import { BYTES_OF, SCALED, type WeightFormat } from './format.ts';

/** 32 values: d, 16 bytes of nibbles, low ones values 0 to 15; q - 8. A pair is 9 words. */
export const q4_0: WeightFormat = {
  block: 32,
  blockBytes: 18,
  oddHalf: 0,
  group: 32,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> f32 { return unpack2x16float(W[(g >> 1u) * 9u])[g & 1u]; }
fn W_quad(i: u32) -> vec4f {
  let word = W[(i >> 4u) * 9u + 1u + ((i >> 1u) & 4u) + (i & 3u)] >> (i & 4u);
  return vec4f(vec4i((${BYTES_OF}) & vec4u(15u)) - vec4i(8));
}
${SCALED}`,
  },
};
