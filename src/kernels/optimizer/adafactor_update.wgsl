// p = p - rate * u / max(1, RMS(u) / threshold) - decay * p.
struct Uniforms { rows: u32, rate: f32, decay: f32, threshold: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding($OUT) var<storage, read_write> parameter: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  if i >= u.rows * $(COLUMNS)u || stats[$SKIPPED] != 0.0 { return; }
  let rms = sqrt(scratch[0] / f32(u.rows * $(COLUMNS)u));
  let step = u.rate / max(1.0, rms / u.threshold);
  let p = parameter[i];
  parameter[i] = p - step * direction(i / $(COLUMNS)u, i % $(COLUMNS)u) - u.decay * p;
}
