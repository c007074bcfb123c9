// y[n] = x[index[n]], or 0 where index[n] is NONE  (+ addend). Both directions: backward reads dy by the inverse.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<$V>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<$V>;
//# if ADDEND
@group(0) @binding(4) var<storage, read> addend: array<$V>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  let row = i / $(WIDTH)u;
  if row >= u.rows { return; }
  let source = index[row];
  var value = $V();
  if source != 0xffffffffu { value = x[source * $(WIDTH)u + i % $(WIDTH)u]; }
//# if ADDEND
  value += addend[i];
//# end
  y[i] = value;
}
