$ENABLES
// Forward: y = x * rsqrt(mean(x^2) + EPS) * weight within each group of columns; BACK: dx of it; columns past the groups are copied.
// A unit is one group of one row, for LANES invocations. Widths in units of V.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<$V>;
@group(0) @binding(2) var<storage, read> weight: array<$V>;
@group(0) @binding(3) var<storage, read_write> y: array<$V>;
//# if BACK
@group(0) @binding(4) var<storage, read> dy: array<$V>;
//# end

$ROW_SUM

@compute @workgroup_size($(UNITS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32$SUBGROUP) {
  let unit = (group.y * 65535u + group.x) * $(UNITS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let row = unit / $(GROUPS + 1)u;
  let n = unit % $(GROUPS + 1)u;
  let live = row < u.rows;
  let copied = n == $(GROUPS)u;
  // The first FIRST groups are WIDTH_A wide, the others WIDTH_B, what follows them is copied.
  let start = select($(FIRST * WIDTH_A)u + (min(n, $(GROUPS)u) - $(FIRST)u) * $(WIDTH_B)u, n * $(WIDTH_A)u, n < $(FIRST)u);
  let width = select(select($(WIDTH_B)u, $(WIDTH_A)u, n < $(FIRST)u), $(STRIDE)u - start, copied);
  let base = row * $(STRIDE)u + start;
  var sum = vec2f();
  if live && !copied {
    for (var i = lane; i < width; i += $(LANES)u) {
      let v = x[base + i];
//# if BACK
      sum += vec2f(product(v, v), product(v, dy[base + i] * weight[start + i]));
//# else
      sum.x += product(v, v);
//# end
    }
  }
  sum = row_sum(sum, local$SIZE);
  if live {
    let count = f32(width) * $(UNIT).0;
    let r = inverseSqrt(sum.x / count + $EPS);
    let shrink = r * r * r * sum.y / count;
    for (var i = lane; i < width; i += $(LANES)u) {
//# if BACK
      let g = dy[base + i];
      if copied { y[base + i] = g; } else { y[base + i] = r * g * weight[start + i] - shrink * x[base + i]; }
//# else
      let v = x[base + i];
      if copied { y[base + i] = v; } else { y[base + i] = v * r * weight[start + i]; }
//# end
    }
  }
}
