$ENABLES
// y = (x - mean) * r * weight + bias, r = rsqrt(variance + EPS); one row for LANES invocations.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<$V>;
@group(0) @binding(2) var<storage, read> weight: array<$V>;
@group(0) @binding(3) var<storage, read> bias: array<$V>;
@group(0) @binding(4) var<storage, read_write> y: array<$V>;

$ROW_SUM

@compute @workgroup_size($(ROWS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32$SUBGROUP) {
  let row = (group.y * 65535u + group.x) * $(ROWS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let live = row < u.rows;
  let base = row * $(WIDTH)u;
  var sum = 0.0;
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) { sum += total(x[base + i]); }
  }
  sum = row_sum(sum, local$SIZE);
//# if LANES > 1
  // The next sum overwrites what this one is read from.
  workgroupBarrier();
//# end
  let mean = sum / $(COLUMNS).0;
  // The squares of what the mean leaves: the difference of two large sums would lose them.
  var squares = 0.0;
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      let v = x[base + i] - mean;
      squares += total(v * v);
    }
  }
  squares = row_sum(squares, local$SIZE);
  if live {
    let r = inverseSqrt(squares / $(COLUMNS).0 + $EPS);
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      y[base + i] = (x[base + i] - mean) * r * weight[i] + bias[i];
    }
  }
}
