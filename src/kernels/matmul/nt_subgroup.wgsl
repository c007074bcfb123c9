// left x w^T for few rows: a workgroup has R x C outputs, its LANES invocations share the depth. Each reads every LANES-th vec4 of the
// rows of both operands, neighbours neighbouring ones; subgroups add up, and what they found meets in workgroup memory, in order.
var<workgroup> part: array<f32, $(R * C * MOST_SUBGROUPS)>;

@compute @workgroup_size($LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_size) size: u32,
) {
  let row = group.y * $(R)u;
  let col = group.x * $(C)u;
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
  for (var p = start + local; p < end; p += $(LANES)u) {
//# for j in C
    let b$j = w_at4(w$j + p);
//# end
//# for i in R
    let a$i = left[l$i + p];
//# for j in C
    s$(i)_$j += dot(a$i, b$j);
//# end
//# end
  }
//# for i in R
//# for j in C
  s$(i)_$j = subgroupAdd(s$(i)_$j);
//# end
//# end
  if local % size == 0u {
    let at = local / size * $(R * C)u;
//# for i in R
//# for j in C
    part[at + $(i * C + j)u] = s$(i)_$j;
//# end
//# end
  }
  workgroupBarrier();
  for (var n = local; n < $(R * C)u; n += $(LANES)u) {
    let at = vec2u(row + n / $(C)u, col + n % $(C)u);
    if at.x >= u.rows || at.y >= u.cols { continue; }
    var sum = part[n];
    for (var i = 1u; i < $(LANES)u / size; i++) { sum += part[i * $(R * C)u + n]; }
    finish(sum, at.x, at.y, group.z);
  }
}
