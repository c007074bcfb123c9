// h = act(y[:, :f]) * y[:, f:] where GATED, else h = act(y). WIDTH columns of h.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> y: array<$V>;
@group(0) @binding(2) var<storage, read_write> h: array<$V>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  if i >= u.rows * $(WIDTH)u { return; }
//# if GATED
  let at = i + (i / $(WIDTH)u) * $(WIDTH)u;
  h[i] = act(y[at]) * y[at + $(WIDTH)u];
//# else
  h[i] = act(y[i]);
//# end
}
