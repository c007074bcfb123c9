import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter, OnnxValue } from '../onnx.ts';

const drawn = (e: OnnxEmitter, x: Tensor, cap: number): OnnxValue =>
  e.once(`tanh of ${x.id} / ${cap}`, () => e.node('Tanh', [e.node('Div', [e.value(x), e.f32(cap)])]));

export function softCapOnnx(e: OnnxEmitter, x: Tensor, y: Tensor, cap: number): void {
  e.set(y, e.node('Mul', [drawn(e, x, cap), e.f32(cap)]));
}

export function softCapBackwardOnnx(
  e: OnnxEmitter,
  x: Tensor,
  dy: Tensor,
  dx: Tensor,
  cap: number,
  addend?: Tensor,
): void {
  const t = drawn(e, x, cap);
  const slope = e.node('Sub', [e.f32(1), e.node('Mul', [t, t])]);
  const through = e.node('Mul', [e.value(dy), slope]);
  e.set(dx, addend ? e.node('Add', [through, e.value(addend)]) : through);
}
