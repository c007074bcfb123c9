import { expandWgsl, type WgslConstants } from '../../gpu/index.ts';
import { type Dims, grid, type Kernel, type KernelTraits, size, type Tensor, u32 } from '../kernel.ts';
import { laneConstants } from '../lanes.ts';
import type { Builder } from '../op.ts';
import backwardWgsl from './backward.wgsl?raw';
import forwardWgsl from './forward.wgsl?raw';
import { rmsNormBackwardOnnx, rmsNormOnnx } from './onnx.ts';

/**
 * RMSNorm (Zhang and Sennrich 2019; T5's layer norm: no mean, no bias).
 *
 *     r = (mean(x^2) + eps)^-1/2,   y = x * r * weight
 *     g = dy * weight,              dx = r * g - x * r^3 * mean(g * x)
 *
 * x, y [M, d]; weight [1, d]. The weight is frozen: it gets no gradient.
 */
export function rmsNorm(b: Builder, x: Tensor, weight: Tensor, eps: number): Tensor {
  const y = b.tensor(`${x.name}.norm`, x.rows, x.cols);
  b.record({
    op: 'rms_norm',
    inputs: [x, weight],
    outputs: [y],
    kernels: [rmsNormForward(b.traits, x, weight, y, eps)],
    onnx: (e) => rmsNormOnnx(e, x, weight, y, eps),
    vjp(back) {
      const dy = back.grad(y);
      if (!dy || !back.wants(x)) return;
      back.contribute(x, {
        kind: 'add',
        make(addend) {
          const dx = back.tensor(`d ${x.name}`, x.rows, x.cols);
          back.record({
            op: 'rms_norm',
            inputs: addend ? [x, weight, dy, addend] : [x, weight, dy],
            outputs: [dx],
            kernels: [rmsNormBackward(back.traits, x, weight, dy, dx, eps, addend)],
            onnx: (e) => rmsNormBackwardOnnx(e, x, weight, dy, dx, eps, addend),
          });
          return dx;
        },
      });
    },
  });
  return y;
}

function constants(traits: KernelTraits, type: 'f32' | 'vec2f', columns: number, eps: number): WgslConstants {
  const vector = columns % 4 === 0;
  return {
    V: vector ? 'vec4f' : 'f32',
    DOT: vector ? 'dot' : 'scalar_dot',
    WIDTH: vector ? columns / 4 : columns,
    COLUMNS: columns,
    ...laneConstants(traits, type),
    EPS: eps.toExponential(),
  };
}

/** WGSL's `dot` takes vectors only. */
const SCALAR_DOT = 'fn scalar_dot(a: f32, b: f32) -> f32 { return a * b; }\n';

export function rmsNormForward(
  traits: KernelTraits,
  x: Tensor,
  weight: Tensor,
  y: Tensor,
  eps: number,
): Kernel {
  const c = constants(traits, 'f32', x.cols, eps);
  return {
    name: 'rms_norm/forward',
    code: expandWgsl(forwardWgsl, c) + SCALAR_DOT,
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: weight, access: 'read' },
      { tensor: y, access: 'read_write' },
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid(size(dims, x.rows), c.ROWS as number),
    cost: (dims: Dims) => ({
      flops: 4 * size(dims, x.rows) * x.cols,
      bytes: 8 * size(dims, x.rows) * x.cols,
    }),
  };
}

export function rmsNormBackward(
  traits: KernelTraits,
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  dx: Tensor,
  eps: number,
  addend?: Tensor,
): Kernel {
  const c = constants(traits, 'vec2f', x.cols, eps);
  return {
    name: 'rms_norm/backward',
    code: expandWgsl(backwardWgsl, { ...c, ADDEND: addend !== undefined }) + SCALAR_DOT,
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: weight, access: 'read' },
      { tensor: dy, access: 'read' },
      { tensor: dx, access: 'read_write' },
      ...(addend ? [{ tensor: addend, access: 'read' as const }] : []),
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid(size(dims, x.rows), c.ROWS as number),
    cost: (dims) => ({
      flops: 9 * size(dims, x.rows) * x.cols,
      bytes: (addend ? 16 : 12) * size(dims, x.rows) * x.cols,
    }),
  };
}

/** The slow clear version, in float64. x [rows, cols]. */
export function rmsNormReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  cols: number,
  eps: number,
): Float64Array {
  const y = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += cols) {
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += x[at + i] ** 2;
    const r = 1 / Math.sqrt(sum / cols + eps);
    for (let i = 0; i < cols; i++) y[at + i] = x[at + i] * r * weight[i];
  }
  return y;
}

/** Its gradient: d loss / d x given d loss / d y, in float64. */
export function rmsNormGradient(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  dy: ArrayLike<number>,
  cols: number,
  eps: number,
): Float64Array {
  const dx = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += cols) {
    let square = 0;
    let product = 0;
    for (let i = 0; i < cols; i++) {
      square += x[at + i] ** 2;
      product += x[at + i] * dy[at + i] * weight[i];
    }
    const r = 1 / Math.sqrt(square / cols + eps);
    for (let i = 0; i < cols; i++)
      dx[at + i] = r * dy[at + i] * weight[i] - (x[at + i] * r ** 3 * product) / cols;
  }
  return dx;
}
