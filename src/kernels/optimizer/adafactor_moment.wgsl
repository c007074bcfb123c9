// Second moments of Adafactor. Whole: v of every entry. FACTORED: vr, a row for LANES invocations, or (COLUMN) vc, a column each.
struct Uniforms { rows: u32, beta2: f32, rest2: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> moment: array<f32>;

fn square(i: u32) -> f32 {
  let g = gradient[i] * stats[$FACTOR];
  return g * g + $EPS;
}

fn blend(i: u32, value: f32) {
  if stats[$SKIPPED] == 0.0 { moment[i] = u.beta2 * moment[i] + u.rest2 * value; }
}

//# if WHOLE
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  if i < u.rows * $(COLUMNS)u { blend(i, square(i)); }
}
//# end
//# if COLUMN
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = group.x * 64u + local;
  if column >= $(COLUMNS)u { return; }
  var sum = 0.0;
  for (var row = 0u; row < u.rows; row++) { sum += square(row * $(COLUMNS)u + column); }
  blend(column, sum / f32(u.rows));
}
//# end
//# if ROW
//# if LANES > 1
var<workgroup> part: array<f32, $LANES>;
//# end

@compute @workgroup_size($LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < $(COLUMNS)u; i += $(LANES)u) { sum += square(group.x * $(COLUMNS)u + i); }
//# if LANES > 1
  part[lane] = sum;
  workgroupBarrier();
  for (var half = $(LANES / 2)u; half > 0u; half >>= 1u) {
    if lane < half { part[lane] += part[lane + half]; }
    workgroupBarrier();
  }
  sum = part[0];
//# end
  if lane == 0u { blend(group.x, sum / $(COLUMNS).0); }
}
//# end
