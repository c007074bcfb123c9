// act(x) and slope(x) = d act / d x, for scalars or vectors. 1 - s of a sigmoid s = 1 / (1 + e) is taken as e * s, which does not
// cancel. Exponentials are kept from overflowing: WGSL may assume that no
// value is infinite, and tanh of the language is free to overflow from arguments of about 40 on.
//# if RELU
fn act(x: $V) -> $V { return max(x, $V()); }
fn slope(x: $V) -> $V { return select($V(), $V(1.0), x > $V()); }
//# end
//# if SILU
fn act(x: $V) -> $V { return x / (1.0 + exp(clamp(-x, $V(-80.0), $V(80.0)))); }
fn slope(x: $V) -> $V {
  let c = clamp(x, $V(-80.0), $V(80.0));
  let e = exp(-c);
  let s = 1.0 / (1.0 + e);
  return s * (1.0 + c * (e * s));
}
//# end
//# if GELU_NEW
// 0.5 x (1 + tanh(w)) = x sigmoid(2 w), 2 w = 2 sqrt(2 / pi) (x + 0.044715 x^3). Beyond 9.5 the sigmoid is 0 or 1 to 1e-33.
fn decay(c: $V) -> $V { return exp(-1.5957691216057308 * c * (1.0 + 0.044715 * c * c)); }
fn act(x: $V) -> $V { return x / (1.0 + decay(clamp(x, $V(-9.5), $V(9.5)))); }
fn slope(x: $V) -> $V {
  let c = clamp(x, $V(-9.5), $V(9.5));
  let e = decay(c);
  let s = 1.0 / (1.0 + e);
  return s + c * s * (e * s) * 1.5957691216057308 * (1.0 + 0.134145 * c * c);
}
//# end
//# if GELU
// 0.5 erfc(-x / sqrt 2), the normal distribution function, to 1.2e-7 of its value at either end: the Chebyshev fit of erfc by
// Press et al., Numerical Recipes in C, 2nd ed., 6.2.
fn normal_below(x: $V) -> $V {
  let z = min(abs(x) * 0.7071067811865476, $V(9.0));
  let t = 1.0 / (1.0 + 0.5 * z);
  let fit = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
    + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let tail = 0.5 * t * exp(fit - z * z);
  return select(tail, 1.0 - tail, x > $V());
}
fn act(x: $V) -> $V { return x * normal_below(x); }
fn slope(x: $V) -> $V {
  let c = clamp(x, $V(-13.0), $V(13.0));
  return normal_below(x) + c * 0.3989422804014327 * exp(-0.5 * c * c);
}
//# end
//# if TANH
fn act(x: $V) -> $V { return 1.0 - 2.0 / (1.0 + exp(2.0 * clamp(x, $V(-20.0), $V(20.0)))); }
fn slope(x: $V) -> $V {
  let y = act(x);
  return 1.0 - y * y;
}
//# end
