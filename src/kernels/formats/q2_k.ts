import { SCALED_FROM, unsigned, type WeightFormat } from './format.ts';

/** 256 values in groups of 16: 16 bytes of (scale, minimum) nibbles, 64 bytes of 2-bit values, d, dmin. 21 words. */
export const q2_k: WeightFormat = {
  block: 256,
  blockBytes: 84,
  group: 16,
  wgsl: {
    element: 'u32',
    code: `
fn W_scale(g: u32) -> vec2f {
  let block = (g >> 4u) * 21u;
  let both = W[block + ((g >> 2u) & 3u)] >> (8u * (g & 3u));
  return unpack2x16float(W[block + 20u]) * vec2f(vec2i(vec2u(both, both >> 4u) & vec2u(15u))) * vec2f(1.0, -1.0);
}
fn W_quad(i: u32) -> vec4f {
  let word = W[(i >> 6u) * 21u + 4u + ((i >> 2u) & 8u) + (i & 7u)] << (6u - ((i >> 2u) & 6u));
  return ${unsigned(2)};
}
${SCALED_FROM}`,
  },
};
