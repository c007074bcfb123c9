import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter, OnnxValue } from '../onnx.ts';
import type { LayerNormWeights } from './layer_norm.ts';

/** r and h = (x - mean) r, shared by both directions. */
function normalised(e: OnnxEmitter, x: Tensor, eps: number): { r: OnnxValue; h: OnnxValue } {
  return e.once(`layer norm of ${x.id} ${eps}`, () => {
    const v = e.value(x);
    const centred = e.node('Sub', [v, e.node('ReduceMean', [v, e.i64([-1])], { keepdims: 1 })]);
    const variance = e.node('ReduceMean', [e.node('Mul', [centred, centred]), e.i64([-1])], { keepdims: 1 });
    const r = e.node('Reciprocal', [e.node('Sqrt', [e.node('Add', [variance, e.f32(eps)])])]);
    return { r, h: e.node('Mul', [centred, r]) };
  });
}

export function layerNormOnnx(e: OnnxEmitter, x: Tensor, w: LayerNormWeights, y: Tensor, eps: number): void {
  const scaled = e.node('Mul', [normalised(e, x, eps).h, e.value(w.weight)]);
  e.set(y, e.node('Add', [scaled, e.value(w.bias)]));
}

/** dx = r (g - mean(g) - h mean(g h)), g = dy weight. */
export function layerNormBackwardOnnx(
  e: OnnxEmitter,
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  dx: Tensor,
  eps: number,
  addend?: Tensor,
): void {
  const { r, h } = normalised(e, x, eps);
  const g = e.node('Mul', [e.value(dy), e.value(weight)]);
  const mean = (v: OnnxValue) => e.node('ReduceMean', [v, e.i64([-1])], { keepdims: 1 });
  const along = e.node('Mul', [h, mean(e.node('Mul', [g, h]))]);
  const through = e.node('Mul', [e.node('Sub', [e.node('Sub', [g, mean(g)]), along]), r]);
  e.set(dx, addend ? e.node('Add', [through, e.value(addend)]) : through);
}
