$ENABLES
// y = x * rsqrt(mean(x^2) + EPS) * weight, one row for LANES invocations.
// WIDTH columns; ROWS rows a workgroup of ROWS * LANES invocations.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<$V>;
@group(0) @binding(2) var<storage, read> weight: array<$V>;
@group(0) @binding(3) var<storage, read_write> y: array<$V>;

$ROW_SUM

@compute @workgroup_size($(ROWS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32$SUBGROUP) {
  let row = (group.y * 65535u + group.x) * $(ROWS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let live = row < u.rows;
  let base = row * $(WIDTH)u;
  var sum = 0.0;
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      let v = x[base + i];
      sum += $DOT(v, v);
    }
  }
  sum = row_sum(sum, local$SIZE);
  if live {
    let scale = inverseSqrt(sum / $(COLUMNS).0 + $EPS);
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      y[base + i] = x[base + i] * scale * weight[i];
    }
  }
}
