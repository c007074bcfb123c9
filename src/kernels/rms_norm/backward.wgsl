$ENABLES
// With r = rsqrt(mean(x^2) + EPS) and g = dy * weight:  dx = r * g - x * r^3 * mean(g * x)  (+ addend).
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<$V>;
@group(0) @binding(2) var<storage, read> weight: array<$V>;
@group(0) @binding(3) var<storage, read> dy: array<$V>;
@group(0) @binding(4) var<storage, read_write> dx: array<$V>;
//# if ADDEND
@group(0) @binding(5) var<storage, read> addend: array<$V>;
//# end

$ROW_SUM

@compute @workgroup_size($(ROWS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32$SUBGROUP) {
  let row = (group.y * 65535u + group.x) * $(ROWS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let live = row < u.rows;
  let base = row * $(WIDTH)u;
  // Sums of x * x and of g * x.
  var sum = vec2f();
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      let v = x[base + i];
      sum += vec2f($DOT(v, v), $DOT(v, dy[base + i] * weight[i]));
    }
  }
  sum = row_sum(sum, local$SIZE);
  if live {
    let r = inverseSqrt(sum.x / $(COLUMNS).0 + $EPS);
    let shrink = r * r * r * sum.y / $(COLUMNS).0;
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      dx[base + i] = r * dy[base + i] * weight[i] - shrink * x[base + i]
//# if ADDEND
        + addend[base + i]
//# end
      ;
    }
  }
}
