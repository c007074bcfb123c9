import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter } from '../onnx.ts';

export const addOnnx = (e: OnnxEmitter, x: Tensor, y: Tensor, z: Tensor): void =>
  e.set(z, e.node('Add', [e.value(x), e.value(y)]));
