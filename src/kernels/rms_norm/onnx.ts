import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter, OnnxValue } from '../onnx.ts';

/** x r and r = (mean(x^2) + eps)^-1/2, shared by both directions. */
function normalised(e: OnnxEmitter, x: Tensor, eps: number): { r: OnnxValue; xr: OnnxValue } {
  return e.once(`rms of ${x.id} ${eps}`, () => {
    const v = e.value(x);
    const mean = e.node('ReduceMean', [e.node('Mul', [v, v]), e.i64([-1])], { keepdims: 1 });
    const r = e.node('Reciprocal', [e.node('Sqrt', [e.node('Add', [mean, e.f32(eps)])])]);
    return { r, xr: e.node('Mul', [v, r]) };
  });
}

export function rmsNormOnnx(e: OnnxEmitter, x: Tensor, weight: Tensor, y: Tensor, eps: number): void {
  e.set(y, e.node('Mul', [normalised(e, x, eps).xr, e.value(weight)]));
}

/** dx = r (g - x r mean(g x r)), g = dy weight. */
export function rmsNormBackwardOnnx(
  e: OnnxEmitter,
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  dx: Tensor,
  eps: number,
  addend?: Tensor,
): void {
  const { r, xr } = normalised(e, x, eps);
  const g = e.node('Mul', [e.value(dy), e.value(weight)]);
  const mean = e.node('ReduceMean', [e.node('Mul', [g, xr]), e.i64([-1])], { keepdims: 1 });
  const through = e.node('Mul', [e.node('Sub', [g, e.node('Mul', [xr, mean])]), r]);
  e.set(dx, addend ? e.node('Add', [through, e.value(addend)]) : through);
}
