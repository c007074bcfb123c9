// weights[i, j, h] = exp(score(i, j, h) - lse[i, h]) for a block of queries and keys; 0 where a query does not see a key.
struct Uniforms {
  queries: u32,
  first_query: u32,
  keys: u32,
  first_key: u32,
  prefix: u32,
  q_column: u32,
  k_column: u32,
  q_stride: u32,
  k_stride: u32,
  heads: u32,
  group: u32,
  reach: u32,
  scale: f32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> ranges: array<vec4u>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> weights: array<f32>;
//# if BIAS
@group(0) @binding(6) var<storage, read> bias: array<f32>;
//# end

fn sees(range: vec4u, key: u32) -> bool {
//# if PREFIX
  if key < u.prefix && key >= range.w { return true; }
  let at = key - range.x;
  return key >= range.x && key < range.y && at - (range.z & 0xffffu) >= range.z >> 16u;
//# else
  return key >= range.x && key < range.y;
//# end
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * 65535u + group.x) * 64u + local;
  if at >= u.queries * u.keys * u.heads { return; }
  let head = at % u.heads;
  let key = u.first_key + at / u.heads % u.keys;
  let query = u.first_query + at / u.heads / u.keys;
  let range = ranges[query];
  if !sees(range, key) {
    weights[at] = 0.0;
    return;
  }
  let q_at = query * u.q_stride + u.q_column + head * $(HEAD_DIM)u;
  let k_at = key * u.k_stride + u.k_column + head / u.group * $(HEAD_DIM)u;
  var score = 0.0;
  for (var d = 0u; d < $(HEAD_DIM)u; d++) { score += q[q_at + d] * k[k_at + d]; }
  score *= u.scale;
//# if CAP
  // Beyond 15 tanh is 1 in f32, and the language's own may overflow.
  score = $CAP_AT * tanh(clamp(score / $CAP_AT, -15.0, 15.0));
//# end
//# if BIAS
  let relative = bitcast<i32>(range.z) + i32(key - range.x);
  score += bias[head * (2u * u.reach + 1u) + u32(clamp(relative + i32(u.reach), 0, 2 * i32(u.reach)))];
//# end
  weights[at] = exp(score - lse[query * u.heads + head]);
}
