// left x w, the depth down the rows of w: each invocation keeps R rows x Q outputs of type O in registers and reads both
// operands straight from storage, STEP values of the depth at a time.
@compute @workgroup_size($WGX, $WGY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = (group.y * $(WGY)u + local.y) * $(R)u;
  let column = (group.x * $(WGX)u + local.x) * $(Q)u;
//# for i in R
  let l$i = min(row + $(i)u, u.rows - 1u) * u.left_stride + u.left_first;
//# end
//# for j in Q
  let c$j = min(column + $(j)u, u.columns - 1u);
//# end
//# for i in R
//# for j in Q
  var s$(i)_$j = $O();
//# end
//# end
//# if PARTED
  let end = min((group.z + 1u) * u.chunk, u.depths);
  for (var p = group.z * u.chunk; p < end; p++) {
//# else
  for (var p = 0u; p < u.depths; p++) {
//# end
//# for t in STEP
    let w$t = ($(STEP)u * p + $(t)u) * u.columns;
//# if SHARED
    let d$t = w_scale((w$t + c0) / $(GROUP)u);
//# for j in Q
    let b$(t)_$j = w_value(w_quad(w$t + c$j), d$t);
//# end
//# else
//# for j in Q
    let b$(t)_$j = w_at$AT(w$t + c$j);
//# end
//# end
//# end
//# for i in R
    let a$i = left[l$i + p];
//# end
//# for i in R
//# for j in Q
//# if STEP == 4
    s$(i)_$j += a$i.x * b0_$j + a$i.y * b1_$j + a$i.z * b2_$j + a$i.w * b3_$j;
//# else
    s$(i)_$j += a$i * b0_$j;
//# end
//# end
//# end
  }
//# for i in R
  if row + $(i)u < u.rows {
//# for j in Q
    if column + $(j)u < u.columns { finish(s$(i)_$j, row + $(i)u, column + $(j)u, group.z); }
//# end
  }
//# end
}
