import { expandWgsl, type WgslConstants } from '../../gpu/index.ts';
import { grid, type Kernel, type KernelTraits, size, type Tensor, u32 } from '../kernel.ts';
import { laneConstants } from '../lanes.ts';
import type { Builder } from '../op.ts';
import backwardWgsl from './backward.wgsl?raw';
import forwardWgsl from './forward.wgsl?raw';
import { layerNormBackwardOnnx, layerNormOnnx } from './onnx.ts';

/** Frozen parameters of a layer norm, both [1, d] f32. */
export interface LayerNormWeights {
  weight: Tensor;
  bias: Tensor;
}

/**
 * Layer norm (Ba, Kiros, Hinton 2016).
 *
 *     h = (x - mean(x)) * r,  r = (variance(x) + eps)^-1/2,   y = h * weight + bias
 *     g = dy * weight,        dx = r * (g - mean(g) - h * mean(g * h))
 *
 * x, y [M, d]. The parameters are frozen: they get no gradient.
 */
export function layerNorm(b: Builder, x: Tensor, w: LayerNormWeights, eps: number): Tensor {
  const y = b.tensor(`${x.name}.norm`, x.rows, x.cols);
  b.record({
    op: 'layer_norm',
    inputs: [x, w.weight, w.bias],
    outputs: [y],
    kernels: [layerNormForward(b.traits, x, w, y, eps)],
    onnx: (e) => layerNormOnnx(e, x, w, y, eps),
    vjp(back) {
      const dy = back.grad(y);
      if (!dy || !back.wants(x)) return;
      back.contribute(x, {
        kind: 'add',
        make(addend) {
          const dx = back.tensor(`d ${x.name}`, x.rows, x.cols);
          back.record({
            op: 'layer_norm',
            inputs: addend ? [x, w.weight, dy, addend] : [x, w.weight, dy],
            outputs: [dx],
            kernels: [layerNormBackward(back.traits, x, w.weight, dy, dx, eps, addend)],
            onnx: (e) => layerNormBackwardOnnx(e, x, w.weight, dy, dx, eps, addend),
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
    WIDTH: vector ? columns / 4 : columns,
    COLUMNS: columns,
    ...laneConstants(traits, type),
    EPS: eps.toExponential(),
  };
}

const total = (columns: number): string =>
  columns % 4 === 0
    ? 'fn total(a: vec4f) -> f32 { return dot(a, vec4f(1.0)); }\n'
    : 'fn total(a: f32) -> f32 { return a; }\n';

export function layerNormForward(
  traits: KernelTraits,
  x: Tensor,
  w: LayerNormWeights,
  y: Tensor,
  eps: number,
): Kernel {
  const c = constants(traits, 'f32', x.cols, eps);
  return {
    name: 'layer_norm/forward',
    code: expandWgsl(forwardWgsl, c) + total(x.cols),
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: w.weight, access: 'read' },
      { tensor: w.bias, access: 'read' },
      { tensor: y, access: 'read_write' },
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid(size(dims, x.rows), c.ROWS as number),
    cost: (dims) => ({
      flops: 8 * size(dims, x.rows) * x.cols,
      bytes: 8 * size(dims, x.rows) * x.cols,
    }),
  };
}

export function layerNormBackward(
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
    name: 'layer_norm/backward',
    code: expandWgsl(backwardWgsl, { ...c, ADDEND: addend !== undefined }) + total(x.cols),
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
      flops: 16 * size(dims, x.rows) * x.cols,
      bytes: (addend ? 16 : 12) * size(dims, x.rows) * x.cols,
    }),
  };
}

/** Mean and (variance + eps)^-1/2 of the row at `at`. */
function moments(x: ArrayLike<number>, at: number, cols: number, eps: number): [mean: number, r: number] {
  let sum = 0;
  for (let i = 0; i < cols; i++) sum += x[at + i];
  const mean = sum / cols;
  let squares = 0;
  for (let i = 0; i < cols; i++) squares += (x[at + i] - mean) ** 2;
  return [mean, 1 / Math.sqrt(squares / cols + eps)];
}

/** The slow clear version, in float64. x [rows, cols]. */
export function layerNormReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  cols: number,
  eps: number,
): Float64Array {
  const y = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += cols) {
    const [mean, r] = moments(x, at, cols, eps);
    for (let i = 0; i < cols; i++) y[at + i] = (x[at + i] - mean) * r * weight[i] + bias[i];
  }
  return y;
}

/** Its gradient: d loss / d x given d loss / d y, in float64. */
export function layerNormGradient(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  dy: ArrayLike<number>,
  cols: number,
  eps: number,
): Float64Array {
  const dx = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += cols) {
    const [mean, r] = moments(x, at, cols, eps);
    let sum = 0;
    let product = 0;
    for (let i = 0; i < cols; i++) {
      sum += dy[at + i] * weight[i];
      product += dy[at + i] * weight[i] * (x[at + i] - mean) * r;
    }
    for (let i = 0; i < cols; i++)
      dx[at + i] = r * (dy[at + i] * weight[i] - sum / cols - ((x[at + i] - mean) * r * product) / cols);
  }
  return dx;
}
