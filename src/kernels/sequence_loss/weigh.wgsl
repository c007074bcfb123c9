// Loss of each example, and weight[c] = d (scale * loss) / d score[c] of its candidates.
struct Uniforms { examples: u32, scale: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> score: array<f32>;
// first candidate, end, target
@group(0) @binding(2) var<storage, read> examples: array<u32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = (group.y * 65535u + group.x) * 64u + local;
  if e >= u.examples { return; }
  let first = examples[3u * e];
  let end = examples[3u * e + 1u];
  let wanted = examples[3u * e + 2u];
  if wanted == 0xffffffffu {
    loss[e] = 0.0;
    for (var c = first; c < end; c++) { weight[c] = 0.0; }
    return;
  }
//# if VERBALIZERS
  var m = score[first];
  for (var c = first + 1u; c < end; c++) { m = max(m, score[c]); }
  var sum = 0.0;
  for (var c = first; c < end; c++) { sum += exp(score[c] - m); }
  loss[e] = m - score[wanted] + log(sum);
  for (var c = first; c < end; c++) {
    weight[c] = u.scale * (exp(score[c] - m) / sum - select(0.0, 1.0, c == wanted));
  }
//# else
  loss[e] = -score[wanted];
  for (var c = first; c < end; c++) { weight[c] = select(0.0, -u.scale, c == wanted); }
//# end
}
