// One entry of the parameter for each invocation: AdamW or SGD with momentum.
struct Uniforms {
  count: u32,
//# if ADAMW
  rate: f32, decay: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, correct1: f32, correct2: f32, epsilon: f32,
//# else
  rate: f32, momentum: f32,
//# end
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(4) var<storage, read_write> m: array<f32>;
//# if ADAMW
@group(0) @binding(5) var<storage, read_write> v: array<f32>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  if i >= u.count || stats[$SKIPPED] != 0.0 { return; }
  let g = gradient[i] * stats[$FACTOR];
//# if ADAMW
  let mean = u.beta1 * m[i] + u.rest1 * g;
  let square = u.beta2 * v[i] + u.rest2 * g * g;
  m[i] = mean;
  v[i] = square;
  let p = parameter[i];
  parameter[i] = p - u.decay * p - u.rate * (mean * u.correct1) / (sqrt(square * u.correct2) + u.epsilon);
//# else
  let velocity = u.momentum * m[i] + g;
  m[i] = velocity;
  parameter[i] -= u.rate * velocity;
//# end
}
