$ENABLES
// What the attention kernels share. V is vec4f or f32; WIDTH is a head's width in units of V, of which each of the LANES
// invocations of a row holds SLICE. A workgroup is TILES tiles of R rows, all of one head. Columns and strides are in units of V;
// they are uniforms, so that layers share their pipelines.
struct Uniforms {
  rows: u32,
  prefix: u32,
  q_column: u32,
  k_column: u32,
  v_column: u32,
  q_stride: u32,
  k_stride: u32,
  v_stride: u32,
  heads: u32,
  group: u32,
  reach: u32,
  scale: f32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
$BINDINGS

// A score that counts for nothing, and where a running maximum starts: far enough apart that exp of the difference is 0.
const NONE = -1e38;
const START = -1e30;

//# if VECTOR
fn product(a: vec4f, b: vec4f) -> f32 { return dot(a, b); }
//# else
fn product(a: f32, b: f32) -> f32 { return a * b; }
//# end

//# if BIAS
// Relative position is the key's minus the query's.
fn bias_at(head: u32, relative: i32) -> f32 {
  return bias[head * (2u * u.reach + 1u) + u32(clamp(relative + i32(u.reach), 0, 2 * i32(u.reach)))];
}
//# end

// The first row of what all of a tile's rows see, and the end of it.
fn unite(a: vec2u, range: vec4u) -> vec2u {
  return select(a, vec2u(min(a.x, range.x), max(a.y, range.y)), range.y > range.x);
}

//# if LANES > 1
var<workgroup> bounds: vec2u;
//# end
//# if QUADS
// The sum over the lanes of a row, which are one quad or half of one, in each of them: the same bits, since only the order of two
// differs. Quads are four neighbours of a subgroup; in workgroups of one dimension drivers count these as the invocations.
fn over_lanes(part: f32) -> f32 {
//# if LANES == 4
  let pair = part + quadSwapX(part);
  return pair + quadSwapY(pair);
//# else
  return part + quadSwapX(part);
//# end
}
//# else
//# if LANES > 1
var<workgroup> sums: array<f32, $(LANES * TILES * SUMS)>;
//# end
//# end

//# if CAP
// Scores drawn towards -CAP .. CAP. Beyond 15 tanh is 1 in f32, and the language's own may overflow.
fn capped(s: f32) -> f32 { return $CAP_AT * tanh(clamp(s / $CAP_AT, -15.0, 15.0)); }
fn cap_slope(capped: f32) -> f32 { return 1.0 - capped * capped / ($CAP_AT * $CAP_AT); }
//# end
