import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter } from '../onnx.ts';

export const sumSquaresOnnx = (e: OnnxEmitter, x: Tensor, out: Tensor, slot: number): void =>
  e.setColumns(out, slot, 1, e.node('ReduceSumSquare', [e.value(x)], { keepdims: 1 }));

export function rowNormsOnnx(e: OnnxEmitter, x: Tensor, out: Tensor, minus?: Tensor): void {
  const from = minus ? e.node('Sub', [e.value(x), e.value(minus)]) : e.value(x);
  e.set(out, e.node('ReduceL2', [from, e.i64([-1])], { keepdims: 1 }));
}
