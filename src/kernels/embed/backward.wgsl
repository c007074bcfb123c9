// dprompt[p] = sum over sequences s of dx[first[s] + p]  (+ what dprompt held, when accumulating). One owner an entry.
struct Uniforms { sequences: u32, rows: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> first: array<u32>;
@group(0) @binding(2) var<storage, read> dx: array<$V>;
@group(0) @binding(3) var<storage, read_write> dprompt: array<$V>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  if i >= u.rows * $(WIDTH)u { return; }
  var sum = $V();
  if u.accumulate != 0u { sum = dprompt[i]; }
  for (var s = 0u; s < u.sequences; s++) { sum += dx[first[s] * $(WIDTH)u + i]; }
  dprompt[i] = sum;
}
