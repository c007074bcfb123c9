// left x w^T, both rows contiguous along the depth: each invocation keeps R x C outputs in registers and reads both operands
// straight from storage, STEP values of the depth at a time.
//# if STEP == 4
fn product(a: vec4f, b: vec4f) -> f32 { return dot(a, b); }
//# else
fn product(a: f32, b: f32) -> f32 { return a * b; }
//# end

@compute @workgroup_size($WGX, $WGY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = (group.y * $(WGY)u + local.y) * $(R)u;
  let col = (group.x * $(WGX)u + local.x) * $(C)u;
//# for i in R
  let l$i = min(row + $(i)u, u.rows - 1u) * u.left_stride + u.left_first;
//# end
//# for j in C
  let w$j = min(col + $(j)u, u.cols - 1u) * u.depths;
//# end
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
//# if GROUP
  for (var g = start; g < end; g += $(GROUP)u) {
//# for j in C
    let d$j = w_scale((w$j + g) / $(GROUP)u);
//# end
  for (var p = g; p < g + $(GROUP)u; p++) {
//# for j in C
    let b$j = w_value(w_quad(w$j + p), d$j);
//# end
//# else
  for (var p = start; p < end; p++) {
//# for j in C
    let b$j = w_at$AT(w$j + p);
//# end
//# end
//# for i in R
    let a$i = left[l$i + p];
//# end
//# for i in R
//# for j in C
    s$(i)_$j += product(a$i, b$j);
//# end
//# end
  }
//# if GROUP
  }
//# end
//# for i in R
  if row + $(i)u < u.rows {
//# if O4
//# for q in C / 4
    if col + $(4 * q)u < u.cols {
      finish(vec4f(s$(i)_$(4 * q), s$(i)_$(4 * q + 1), s$(i)_$(4 * q + 2), s$(i)_$(4 * q + 3)), row + $(i)u, col / 4u + $(q)u, group.z);
    }
//# end
//# else
//# for j in C
    if col + $(j)u < u.cols { finish(s$(i)_$j, row + $(i)u, col + $(j)u, group.z); }
//# end
//# end
  }
//# end
}
