// dlogits[n, token_k] += weight[candidate_k] for the terms k of row n. One owner a row: terms may name a token twice.
// dlogits holds `columns` of the vocabulary, from `first` on. CAPPED: `picked` are the terms' logits, drawn towards CAP; see
// softmax_part.
struct Uniforms { rows: u32, columns: u32, first: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> terms: array<vec4u>;
@group(0) @binding(2) var<storage, read> rows: array<vec2u>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;
//# if CAPPED
@group(0) @binding(5) var<storage, read> picked: array<f32>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = (group.y * 65535u + group.x) * 64u + local;
  if n >= u.rows { return; }
  for (var j = rows[n].x; j < rows[n].y; j++) {
    let term = terms[terms[j].w];
    let column = term.y - u.first;
    if column >= u.columns { continue; }
//# if CAPPED
    let t = picked[terms[j].w] / $CAP;
    dlogits[n * u.columns + column] += weight[term.z] * (1.0 - t * t);
//# else
    dlogits[n * u.columns + column] += weight[term.z];
//# end
  }
}
