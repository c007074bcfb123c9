/** The 6-bit scale and minimum of group `g & 7` in the three words after d and dmin of Q4_K and Q5_K; `stride` words a block. */
export const kScales = (stride: number): string => `
fn W_scale(g: u32) -> vec2f {
  let block = (g >> 3u) * ${stride}u;
  let shift = 8u * (g & 3u);
  let a = W[block + 1u] >> shift;
  let b = W[block + 2u] >> shift;
  let c = W[block + 3u] >> shift;
  let first = (g & 4u) == 0u;
  let scale = select((c & 15u) | ((a >> 2u) & 48u), a & 63u, first);
  let minimum = select(((c >> 4u) & 15u) | ((b >> 2u) & 48u), b & 63u, first);
  return unpack2x16float(W[block]) * vec2f(vec2i(vec2u(scale, minimum))) * vec2f(1.0, -1.0);
}`;
