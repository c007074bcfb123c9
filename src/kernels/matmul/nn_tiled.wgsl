// left x w with both operands staged in workgroup memory, BK values of the depth at a time: left as vec4 along the depth (rows
// one vec4 longer, for the banks), w as vec4 along the outputs. Columns here are vec4.
var<workgroup> left_stage: array<vec4f, $(R * WGY * (BK / 4 + 1))>;
var<workgroup> w_stage: array<vec4f, $(BK * Q * WGX)>;

@compute @workgroup_size($WGX, $WGY)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let first_row = group.y * $(R * WGY)u;
  let first_column = group.x * $(Q * WGX)u;
//# for i in R
//# for j in Q
  var s$(i)_$j = vec4f();
//# end
//# end
//# if PARTED
  let start = group.z * u.chunk;
  let end = min(start + u.chunk, u.depths);
//# else
  let start = 0u;
  let end = u.depths;
//# end
  for (var p = start; p < end; p += $(BK / 4)u) {
    for (var i = index; i < $(R * WGY * BK / 4)u; i += $(WGX * WGY)u) {
      let row = i / $(BK / 4)u;
      let depth = i % $(BK / 4)u;
      var value = vec4f();
      if p + depth < end { value = left[min(first_row + row, u.rows - 1u) * u.left_stride + u.left_first + p + depth]; }
      left_stage[row * $(BK / 4 + 1)u + depth] = value;
    }
    for (var i = index; i < $(BK * Q * WGX)u; i += $(WGX * WGY)u) {
      let depth = 4u * p + i / $(Q * WGX)u;
      let column = min(first_column + i % $(Q * WGX)u, u.columns - 1u);
      var value = vec4f();
      if depth < 4u * end { value = w_at4(depth * u.columns + column); }
      w_stage[i] = value;
    }
    workgroupBarrier();
//# for d in BK / 4
    {
//# for t in 4
//# for j in Q
      let b$(t)_$j = w_stage[$((4 * d + t) * Q * WGX + j * WGX)u + local.x];
//# end
//# end
//# for i in R
      let a$i = left_stage[(local.y + $(i * WGY)u) * $(BK / 4 + 1)u + $(d)u];
//# for j in Q
      s$(i)_$j += a$i.x * b0_$j + a$i.y * b1_$j + a$i.z * b2_$j + a$i.w * b3_$j;
//# end
//# end
    }
//# end
    workgroupBarrier();
  }
//# for i in R
  if first_row + local.y + $(i * WGY)u < u.rows {
//# for j in Q
    if first_column + local.x + $(j * WGX)u < u.columns {
      finish(s$(i)_$j, first_row + local.y + $(i * WGY)u, first_column + local.x + $(j * WGX)u, group.z);
    }
//# end
  }
//# end
}
