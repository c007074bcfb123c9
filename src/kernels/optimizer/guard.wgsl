// Before an update: the norm of the gradient, the factor that clips it, and whether this step must be skipped.
// Finiteness is told by bits: WGSL compilers may assume that no value is NaN or infinite.
struct Uniforms { clip: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> stats: array<f32>;

fn finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(1)
fn main() {
  let squares = stats[$SQUARES];
  let norm = sqrt(squares);
  var factor = 1.0;
  // As torch.nn.utils.clip_grad_norm_.
  if u.clip > 0.0 { factor = min(1.0, u.clip / (norm + 1e-6)); }
  stats[$NORM] = norm;
  stats[$FACTOR] = factor;
  stats[$SKIPPED] = select(1.0, 0.0, finite(squares) && finite(loss[0]));
  stats[$LOSS] = loss[0];
}
