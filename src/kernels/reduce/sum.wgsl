// out[SLOT] = scale * sum of x  (+ what out[SLOT] held, when accumulating). One workgroup, always in the same order.
struct Uniforms { count: u32, accumulate: u32, scale: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

//# if LANES > 1
var<workgroup> part: array<f32, $LANES>;
//# end

@compute @workgroup_size($LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < u.count; i += $(LANES)u) { sum += x[i]; }
//# if LANES > 1
  part[lane] = sum;
  workgroupBarrier();
  for (var half = $(LANES / 2)u; half > 0u; half >>= 1u) {
    if lane < half { part[lane] += part[lane + half]; }
    workgroupBarrier();
  }
  sum = part[0];
//# end
  if lane == 0u {
    sum *= u.scale;
    if u.accumulate != 0u { sum += out[$SLOT]; }
    out[$SLOT] = sum;
  }
}
