// INPLACE: y = CAP tanh(y / CAP). Forward: y = CAP tanh(x / CAP). BACK: y = dy (1 - tanh(x / CAP)^2) (+ addend). Beyond 15 tanh is 1 in f32.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding($(2 - INPLACE)) var<storage, read_write> y: array<$V>;
//# if !INPLACE
@group(0) @binding(1) var<storage, read> x: array<$V>;
//# end
//# if BACK
@group(0) @binding(3) var<storage, read> dy: array<$V>;
//# end
//# if ADDEND
@group(0) @binding(4) var<storage, read> addend: array<$V>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  if i >= u.rows * $(WIDTH)u { return; }
  let t = tanh(clamp($X[i] / $CAP, $V(-15.0), $V(15.0)));
//# if BACK
  y[i] = dy[i] * (1.0 - t * t)
//# if ADDEND
    + addend[i]
//# end
  ;
//# else
  y[i] = $CAP * t;
//# end
}
