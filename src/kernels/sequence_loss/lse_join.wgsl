// (m, log sum exp(x - m)) of a row from those of its CHUNKS chunks.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> parts: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> lse: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (group.y * 65535u + group.x) * 64u + local;
  if row >= u.rows { return; }
  var m = -1e30;
  for (var c = 0u; c < $(CHUNKS)u; c++) { m = max(m, parts[row * $(CHUNKS)u + c].x); }
  var sum = 0.0;
  for (var c = 0u; c < $(CHUNKS)u; c++) {
    let part = parts[row * $(CHUNKS)u + c];
    sum += exp(part.x - m + part.y);
  }
  lse[row] = vec2f(m, log(sum));
}
