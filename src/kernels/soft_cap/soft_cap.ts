import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import { softCapBackwardOnnx, softCapOnnx } from './onnx.ts';
import softCapWgsl from './soft_cap.wgsl?raw';

/**
 * Values drawn towards -cap .. cap (Gemma 2's logits).
 *
 *     y = cap tanh(x / cap),   dx = dy (1 - tanh(x / cap)^2)
 *
 * x, y [M, any]. The way back reads x and not y, which the loss may have overwritten with its gradient.
 */
export function softCap(b: Builder, x: Tensor, cap: number): Tensor {
  const y = b.tensor(`${x.name}.capped`, x.rows, x.cols);
  b.record({
    op: 'soft_cap',
    inputs: [x],
    outputs: [y],
    kernels: [softCapKernel(x, y, cap)],
    onnx: (e) => softCapOnnx(e, x, y, cap),
    vjp(back) {
      const dy = back.grad(y);
      if (!dy || !back.wants(x)) return;
      back.contribute(x, {
        kind: 'add',
        make(addend) {
          const dx = back.tensor(`d ${x.name}`, x.rows, x.cols);
          back.record({
            op: 'soft_cap',
            inputs: addend ? [x, dy, addend] : [x, dy],
            outputs: [dx],
            kernels: [softCapKernel(x, dx, cap, { dy, addend })],
            onnx: (e) => softCapBackwardOnnx(e, x, dy, dx, cap, addend),
          });
          return dx;
        },
      });
    },
  });
  return y;
}

/** Without `back` the forward pass into y, which may be x itself; with it the gradient of x into y. */
export function softCapKernel(
  x: Tensor,
  y: Tensor,
  cap: number,
  back?: { dy: Tensor; addend?: Tensor },
): Kernel {
  const vector = x.cols % 4 === 0;
  const width = vector ? x.cols / 4 : x.cols;
  const inPlace = x === y;
  const passes = 2 + (back ? 1 : 0) + (back?.addend ? 1 : 0);
  return {
    name: `soft_cap/${back ? 'backward' : 'forward'}`,
    code: expandWgsl(softCapWgsl, {
      V: vector ? 'vec4f' : 'f32',
      WIDTH: width,
      CAP: cap.toExponential(),
      X: inPlace ? 'y' : 'x',
      INPLACE: inPlace,
      BACK: back !== undefined,
      ADDEND: back?.addend !== undefined,
    }),
    buffers: [
      ...(inPlace ? [] : [{ tensor: x, access: 'read' as const }]),
      { tensor: y, access: 'read_write' },
      ...(back ? [{ tensor: back.dy, access: 'read' as const }] : []),
      ...(back?.addend ? [{ tensor: back.addend, access: 'read' as const }] : []),
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid(size(dims, x.rows) * width, 64),
    cost: (dims) => ({
      flops: 8 * size(dims, x.rows) * x.cols,
      bytes: 4 * passes * size(dims, x.rows) * x.cols,
    }),
  };
}

/** The slow clear version, in float64. */
export const softCapReference = (x: ArrayLike<number>, cap: number): Float64Array =>
  Float64Array.from(x, (value) => cap * Math.tanh(value / cap));

/** Its gradient: d loss / d x given d loss / d y, in float64. */
export const softCapGradient = (x: ArrayLike<number>, dy: ArrayLike<number>, cap: number): Float64Array =>
  Float64Array.from(x, (value, i) => dy[i] * (1 - Math.tanh(value / cap) ** 2));
