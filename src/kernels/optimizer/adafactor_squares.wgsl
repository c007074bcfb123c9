// parts[row] = sum of u^2 over the row.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding($OUT) var<storage, read_write> parts: array<f32>;

//# if LANES > 1
var<workgroup> part: array<f32, $LANES>;
//# end

@compute @workgroup_size($LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < $(COLUMNS)u; i += $(LANES)u) {
    let d = direction(group.x, i);
    sum += d * d;
  }
//# if LANES > 1
  part[lane] = sum;
  workgroupBarrier();
  for (var half = $(LANES / 2)u; half > 0u; half >>= 1u) {
    if lane < half { part[lane] += part[lane + half]; }
    workgroupBarrier();
  }
  sum = part[0];
//# end
  if lane == 0u { parts[group.x] = sum; }
}
