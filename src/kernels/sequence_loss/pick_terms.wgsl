// picked[k] = logits[row_k, token_k] for the terms whose token lies among the `columns` from `first` on.
struct Uniforms { terms: u32, columns: u32, first: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> terms: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> picked: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let k = (group.y * 65535u + group.x) * 64u + local;
  if k >= u.terms { return; }
  let column = terms[k].y - u.first;
  if column < u.columns { picked[k] = logits[terms[k].x * u.columns + column]; }
}
