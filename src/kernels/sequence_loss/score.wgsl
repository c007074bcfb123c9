// score[c] = sum over the terms k of candidate c of log softmax(logits[row_k])[token_k]. PICKED: the terms' logits were picked before, one a term.
struct Uniforms { candidates: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> lse: array<vec2f>;
@group(0) @binding(3) var<storage, read> terms: array<vec4u>;
@group(0) @binding(4) var<storage, read> candidates: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> score: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let c = (group.y * 65535u + group.x) * 64u + local;
  if c >= u.candidates { return; }
  var sum = 0.0;
  for (var k = candidates[c].x; k < candidates[c].y; k++) {
    let row = terms[k].x;
//# if PICKED
    let logit = logits[k];
//# else
    let logit = logits[row * $(COLUMNS)u + terms[k].y];
//# end
    sum += logit - lse[row].x - lse[row].y;
  }
  score[c] = sum;
}
