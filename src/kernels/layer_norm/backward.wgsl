$ENABLES
// With h = (x - mean) * r and g = dy * weight:  dx = r * (g - mean(g) - h * mean(g * h))  (+ addend).
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
  var first = vec2f();
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      first += vec2f(total(x[base + i]), total(dy[base + i] * weight[i]));
    }
  }
  first = row_sum(first, local$SIZE);
//# if LANES > 1
  // The next sum overwrites what this one is read from.
  workgroupBarrier();
//# end
  let mean = first / $(COLUMNS).0;
  // Sums of (x - mean)^2 and of g * (x - mean).
  var second = vec2f();
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      let v = x[base + i] - mean.x;
      second += vec2f(total(v * v), total(dy[base + i] * weight[i] * v));
    }
  }
  second = row_sum(second, local$SIZE);
  if live {
    let r = inverseSqrt(second.x / $(COLUMNS).0 + $EPS);
    let shrink = r * r * second.y / $(COLUMNS).0;
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      dx[base + i] = r * (dy[base + i] * weight[i] - mean.y - (x[base + i] - mean.x) * shrink)
//# if ADDEND
        + addend[base + i]
//# end
      ;
    }
  }
}
