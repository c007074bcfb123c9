// left x w^T with both operands staged in workgroup memory, BK values of the depth at a time, as vec4 along the depth. Rows of
// the stages are one vec4 longer than needed, an odd number, so that neighbours meet different banks. An invocation's rows and
// columns lie WGY and WGX apart for the same reason.
var<workgroup> left_stage: array<vec4f, $(R * WGY * (BK / 4 + 1))>;
var<workgroup> w_stage: array<vec4f, $(C * WGX * (BK / 4 + 1))>;

@compute @workgroup_size($WGX, $WGY)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let first_row = group.y * $(R * WGY)u;
  let first_col = group.x * $(C * WGX)u;
//# for i in R
//# for j in C
  var s$(i)_$j = 0.0;
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
    for (var i = index; i < $(C * WGX * BK / 4)u; i += $(WGX * WGY)u) {
      let row = i / $(BK / 4)u;
      let depth = i % $(BK / 4)u;
      var value = vec4f();
      if p + depth < end { value = w_at4(min(first_col + row, u.cols - 1u) * u.depths + p + depth); }
      w_stage[row * $(BK / 4 + 1)u + depth] = value;
    }
    workgroupBarrier();
//# for d in BK / 4
    {
//# for j in C
      let b$j = w_stage[(local.x + $(j * WGX)u) * $(BK / 4 + 1)u + $(d)u];
//# end
//# for i in R
      let a$i = left_stage[(local.y + $(i * WGY)u) * $(BK / 4 + 1)u + $(d)u];
//# for j in C
      s$(i)_$j += dot(a$i, b$j);
//# end
//# end
    }
//# end
    workgroupBarrier();
  }
//# for i in R
  if first_row + local.y + $(i * WGY)u < u.rows {
//# for j in C
    if first_col + local.x + $(j * WGX)u < u.cols {
      finish(s$(i)_$j, first_row + local.y + $(i * WGY)u, first_col + local.x + $(j * WGX)u, group.z);
    }
//# end
  }
//# end
}
