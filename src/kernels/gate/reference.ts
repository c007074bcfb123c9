/** The slow clear version of gates and activations, in float64. */
import type { Activation } from './gate.ts';

/** erf by its series of positive terms, 2 / sqrt(pi) e^(-z^2) sum 2^n z^(2n+1) / (2n+1)!!. */
export function erf(z: number): number {
  if (Math.abs(z) > 6) return Math.sign(z);
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const K = Math.sqrt(2 / Math.PI);

export const activationReference: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(K * (x + 0.044715 * x ** 3))),
  tanh: Math.tanh,
};

export const activationSlope: Record<Activation, (x: number) => number> = {
  relu: (x) => (x > 0 ? 1 : 0),
  silu: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  gelu: (x) => 0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  gelu_new: (x) => {
    const t = Math.tanh(K * (x + 0.044715 * x ** 3));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * K * (1 + 3 * 0.044715 * x * x);
  },
  tanh: (x) => 1 - Math.tanh(x) ** 2,
};

/** y [M, 2f] -> h [M, f]. */
export function gateReference(y: ArrayLike<number>, f: number, activation: Activation): Float64Array {
  const act = activationReference[activation];
  const h = new Float64Array(y.length / 2);
  for (let i = 0; i < h.length; i++) {
    const at = Math.floor(i / f) * 2 * f + (i % f);
    h[i] = act(y[at]) * y[at + f];
  }
  return h;
}

/** d loss / d y [M, 2f] given d loss / d h [M, f]. */
export function gateGradient(
  y: ArrayLike<number>,
  dh: ArrayLike<number>,
  f: number,
  activation: Activation,
): Float64Array {
  const dy = new Float64Array(y.length);
  for (let i = 0; i < dh.length; i++) {
    const at = Math.floor(i / f) * 2 * f + (i % f);
    dy[at] = dh[i] * y[at + f] * activationSlope[activation](y[at]);
    dy[at + f] = dh[i] * activationReference[activation](y[at]);
  }
  return dy;
}
