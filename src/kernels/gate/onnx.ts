import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter, OnnxValue } from '../onnx.ts';
import type { Activation } from './gate.ts';

interface Activated {
  /** act(x) */
  value: OnnxValue;
  /** act'(x), written only when asked for. */
  slope(): OnnxValue;
}

/** gelu_new(x) = x s, s = sigmoid(x q(x)), q = A + B x^2: 0.5 (1 + tanh(u)) is sigmoid(2 u). */
const A = 2 * Math.sqrt(2 / Math.PI);
const B = A * 0.044715;

function activated(e: OnnxEmitter, x: OnnxValue, activation: Activation): Activated {
  const mul = (a: OnnxValue, b: OnnxValue) => e.node('Mul', [a, b]);
  const add = (a: OnnxValue, b: OnnxValue) => e.node('Add', [a, b]);
  const one = () => e.f32(1);
  const rest = (a: OnnxValue) => e.node('Sub', [one(), a]);
  switch (activation) {
    case 'relu':
      return {
        value: e.node('Relu', [x]),
        slope: () => e.node('Cast', [e.node('Greater', [x, e.f32(0)])], { to: 1 }),
      };
    case 'tanh': {
      const value = e.node('Tanh', [x]);
      return { value, slope: () => rest(mul(value, value)) };
    }
    case 'silu': {
      const s = e.node('Sigmoid', [x]);
      const value = mul(x, s);
      // s (1 + x (1 - s)) = s + value (1 - s)
      return { value, slope: () => add(s, mul(value, rest(s))) };
    }
    case 'gelu_new': {
      const q = add(mul(mul(x, x), e.f32(B)), e.f32(A));
      const s = e.node('Sigmoid', [mul(x, q)]);
      const value = mul(x, s);
      // s + x s (1 - s) (A + 3 B x^2)
      return {
        value,
        slope: () => add(s, mul(mul(value, rest(s)), e.node('Sub', [mul(q, e.f32(3)), e.f32(2 * A)]))),
      };
    }
    case 'gelu': {
      const phi = mul(add(e.node('Erf', [mul(x, e.f32(Math.SQRT1_2))]), one()), e.f32(0.5));
      // Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)
      return {
        value: mul(x, phi),
        slope: () => {
          const density = e.node('Exp', [mul(mul(x, x), e.f32(-0.5))]);
          return add(phi, mul(mul(x, density), e.f32(1 / Math.sqrt(2 * Math.PI))));
        },
      };
    }
  }
}

/** The gate's half activated and the value's half; without a gate all of y. */
function halves(e: OnnxEmitter, y: Tensor, gated: boolean, activation: Activation) {
  return e.once(`gate of ${y.id} ${activation}`, () => {
    const [left, right] = gated
      ? e.split('Split', [e.value(y)], 2, { axis: 1, num_outputs: 2 })
      : [e.value(y)];
    return { act: activated(e, left, activation), right };
  });
}

/** Gated where y is twice as wide as h. */
export function gateOnnx(e: OnnxEmitter, y: Tensor, h: Tensor, activation: Activation): void {
  const { act, right } = halves(e, y, y.cols === 2 * h.cols, activation);
  e.set(h, right ? e.node('Mul', [act.value, right]) : act.value);
}

export function gateBackwardOnnx(
  e: OnnxEmitter,
  y: Tensor,
  dh: Tensor,
  dy: Tensor,
  activation: Activation,
  addend?: Tensor,
): void {
  const { act, right } = halves(e, y, y.cols === 2 * dh.cols, activation);
  const d = e.value(dh);
  const left = e.node('Mul', [right ? e.node('Mul', [d, right]) : d, act.slope()]);
  const whole = right ? e.node('Concat', [left, e.node('Mul', [d, act.value])], { axis: 1 }) : left;
  e.set(dy, addend ? e.node('Add', [whole, e.value(addend)]) : whole);
}
