$ENABLES
// out[at + i] = sum over row first + i of (x - minus)^2, its square root where ROOT.
struct Uniforms { first: u32, rows: u32, at: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<$V>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
//# if MINUS
@group(0) @binding(3) var<storage, read> minus: array<$V>;
//# end

$ROW_SUM

@compute @workgroup_size($(ROWS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32$SUBGROUP) {
  let row = (group.y * 65535u + group.x) * $(ROWS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let live = row < u.rows;
  let base = (u.first + row) * $(WIDTH)u;
  var sum = 0.0;
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
//# if MINUS
      let v = x[base + i] - minus[base + i];
//# else
      let v = x[base + i];
//# end
//# if VECTOR
      sum += dot(v, v);
//# else
      sum += v * v;
//# end
    }
  }
  sum = row_sum(sum, local$SIZE);
  if live && lane == 0u {
//# if ROOT
    out[u.at + row] = sqrt(sum);
//# else
    out[u.at + row] = sum;
//# end
  }
}
