import type { WeightFormat } from './format.ts';

export const f32: WeightFormat = {
  block: 1,
  blockBytes: 4,
  wgsl: {
    element: 'vec4f',
    code: `
fn W_at(i: u32) -> f32 { return W[i >> 2u][i & 3u]; }
fn W_at4(i: u32) -> vec4f { return W[i]; }`,
    unaligned: { element: 'f32', code: 'fn W_at(i: u32) -> f32 { return W[i]; }' },
  },
};
