// GATED: dy[:, :f] = dh * y[:, f:] * slope(y[:, :f]), dy[:, f:] = dh * act(y[:, :f]); else dy = dh * slope(y).  (+ addend)
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> y: array<$V>;
@group(0) @binding(2) var<storage, read> dh: array<$V>;
@group(0) @binding(3) var<storage, read_write> dy: array<$V>;
//# if ADDEND
@group(0) @binding(4) var<storage, read> addend: array<$V>;
//# end

fn put(at: u32, value: $V) {
//# if ADDEND
  dy[at] = value + addend[at];
//# else
  dy[at] = value;
//# end
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  if i >= u.rows * $(WIDTH)u { return; }
//# if GATED
  let at = i + (i / $(WIDTH)u) * $(WIDTH)u;
  let gate = y[at];
  put(at, dh[i] * y[at + $(WIDTH)u] * slope(gate));
  put(at + $(WIDTH)u, dh[i] * act(gate));
//# else
  put(i, dh[i] * slope(y[i]));
//# end
}
