import type { OnnxEmitter } from '../onnx.ts';
import type { Product } from './matmul.ts';

/** One `Gemm`, which adds bias or residual itself; where there are both, the residual follows. */
export function productOnnx(e: OnnxEmitter, { direction, left, w, out, alpha = 1, bias, addend }: Product) {
  const third = bias ?? addend;
  const product = e.node('Gemm', [e.value(left), e.value(w), ...(third ? [e.value(third)] : [])], {
    ...(alpha === 1 ? {} : { alpha: { f: alpha } }),
    ...(direction === 'nt' ? { transB: 1 } : {}),
  });
  e.set(out, bias && addend ? e.node('Add', [product, e.value(addend)]) : product);
}
