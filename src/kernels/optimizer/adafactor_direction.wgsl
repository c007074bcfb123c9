// The direction u = g / sqrt(v) of Adafactor before clipping; scratch holds [sum of u^2, mean of vr].
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
//# if FACTORED
@group(0) @binding(4) var<storage, read> vr: array<f32>;
@group(0) @binding(5) var<storage, read> vc: array<f32>;
//# else
@group(0) @binding(4) var<storage, read> v: array<f32>;
//# end
@group(0) @binding(3) var<storage, read> scratch: array<f32>;

fn direction(row: u32, column: u32) -> f32 {
  let i = row * $(COLUMNS)u + column;
  let g = gradient[i] * stats[$FACTOR];
//# if FACTORED
  // Two roots, and the quotient first: vr * vc of small gradients is below the smallest float.
  return g * inverseSqrt(vr[row] / scratch[1]) * inverseSqrt(vc[column]);
//# else
  return g * inverseSqrt(v[i]);
//# end
}
