// index[row] = first column of the largest value, one row for LANES invocations.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> index: array<u32>;

//# if LANES > 1
var<workgroup> bestValue: array<f32, $(ROWS * LANES)>;
var<workgroup> bestIndex: array<u32, $(ROWS * LANES)>;
//# end

@compute @workgroup_size($(ROWS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (group.y * 65535u + group.x) * $(ROWS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let live = row < u.rows;
  // The most negative f32; every finite value beats or equals it.
  var value = -3.4028234e38;
  var at = lane;
  if live {
    for (var i = lane; i < $(COLUMNS)u; i += $(LANES)u) {
      let v = x[row * $(COLUMNS)u + i];
      if v > value { value = v; at = i; }
    }
  }
//# if LANES > 1
  bestValue[local] = value;
  bestIndex[local] = at;
  workgroupBarrier();
  for (var half = $(LANES / 2)u; half > 0u; half >>= 1u) {
    if lane < half {
      let other = bestValue[local + half];
      let otherAt = bestIndex[local + half];
      if other > bestValue[local] || (other == bestValue[local] && otherAt < bestIndex[local]) {
        bestValue[local] = other;
        bestIndex[local] = otherAt;
      }
    }
    workgroupBarrier();
  }
  at = bestIndex[local - lane];
//# end
  if live && lane == 0u { index[row] = at; }
}
