// dlogits = -rowWeight * softmax(logits), every entry. CAPPED: of what was drawn towards CAP by tanh, whose slope is 1 - (logit / CAP)^2.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> lse: array<vec2f>;
@group(0) @binding(2) var<storage, read> rowWeight: array<f32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<$V>;
//# if !INPLACE
@group(0) @binding(4) var<storage, read> logits: array<$V>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  let row = i / $(WIDTH)u;
  if row >= u.rows { return; }
//# if INPLACE
  let logit = dlogits[i];
//# else
  let logit = logits[i];
//# end
  dlogits[i] = -rowWeight[row] * exp(logit - lse[row].x - lse[row].y)
//# if CAPPED
    * (1.0 - (logit / $CAP) * (logit / $CAP))
//# end
  ;
}
