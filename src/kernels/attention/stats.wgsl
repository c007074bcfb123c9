// What the backward kernels need of each row and head: (log-sum-exp, sum of dout * out).
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * 65535u + group.x) * 64u + local;
  if at >= u.rows * u.heads { return; }
  var sum = 0.0;
  for (var d = 0u; d < $(WIDTH)u; d++) {
    sum += product(dout[at * $(WIDTH)u + d], out[at * $(WIDTH)u + d]);
  }
  stats[at] = vec2f(lse[at], sum);
}
