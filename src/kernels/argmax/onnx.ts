import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter } from '../onnx.ts';

/** ONNX counts in 64 bits; the first of equals, as in the shader. */
export const argmaxOnnx = (e: OnnxEmitter, x: Tensor, index: Tensor): void =>
  e.set(index, e.node('Cast', [e.node('ArgMax', [e.value(x)], { axis: 1, keepdims: 1 })], { to: 6 }));
