import { type Kernel, piecesOf, type Tensor } from '../kernel.ts';
import type { Backward, Builder } from '../op.ts';
import { isAligned, matmulKernels, type Product } from './matmul.ts';
import { productOnnx } from './onnx.ts';
import { chooseTile, rowCapacity } from './tiles.ts';

export interface LinearSettings {
  /** The name of the output. */
  name: string;
  /** Default 1. */
  alpha?: number;
  /** [M, N], added last. */
  residual?: Tensor;
  /** [1, N], frozen. */
  bias?: Tensor;
}

/**
 * A linear layer with a frozen weight.
 *
 *     y = alpha * x W^T + bias + residual,   dx = alpha * dy W,   d residual = dy
 *
 * x [M, K]; w [N, K] (Hugging Face's [out, in]), in any weight format; y [M, N]. Both products read the one buffer of w, sum in f32,
 * and take one dispatch each (two where the tile splits a long inner dimension). Of a weight in pieces each piece takes its own: in y
 * they are columns, in dx they add up, in order.
 */
export function linear(b: Builder, x: Tensor, w: Tensor, settings: LinearSettings): Tensor {
  const { name, alpha, residual, bias } = settings;
  if (typeof w.rows !== 'number') throw new Error(`${w.name}: a weight's rows must be a fixed number`);
  if (x.cols !== w.cols)
    throw new Error(`${name}: ${x.name} is [.., ${x.cols}], but ${w.name} is [${w.rows}, ${w.cols}]`);
  const y = b.tensor(name, x.rows, w.rows);
  recordProduct(b, { direction: 'nt', left: x, w, out: y, alpha, bias, addend: residual }, (back) => {
    const dy = back.grad(y);
    if (!dy) return;
    if (residual && back.wants(residual)) back.contribute(residual, { kind: 'pass', tensor: dy });
    if (!back.wants(x)) return;
    back.contribute(x, {
      kind: 'add',
      make(addend) {
        const dx = back.tensor(`d ${x.name}`, x.rows, x.cols);
        recordProduct(back, { direction: 'nn', left: dy, w, out: dx, alpha, addend });
        return dx;
      },
    });
  });
  return y;
}

/** The kernels of a product, with the tiles that its shape or those of its pieces ask for, and the tensors between them. */
export function productKernels(
  b: Pick<Builder, 'traits' | 'tensor'>,
  whole: Product,
): { kernels: Kernel[]; scratch: Tensor[] } {
  const { direction, left, w, out, addend } = whole;
  const kernels: Kernel[] = [];
  const scratch: Tensor[] = [];
  let firstRow = 0;
  for (const [i, piece] of piecesOf(w).entries()) {
    const follows = i > 0 && direction === 'nn';
    const product: Product = {
      ...whole,
      w: piece,
      firstRow,
      accumulate: follows || whole.accumulate,
      addend: follows ? undefined : addend,
      reading: { nativeHalf: b.traits.shaderF16 },
    };
    const rows = piece.rows as number;
    const tile = chooseTile(b.traits, {
      direction,
      rows: rowCapacity(b.traits, left.rows),
      cols: direction === 'nt' ? rows : piece.cols,
      depth: direction === 'nt' ? piece.cols : rows,
      dtype: piece.dtype,
      unaligned: !isAligned(product),
    });
    const makeParts = (cols: number): Tensor => {
      const parts = b.tensor(`${out.name}.parts`, left.rows, cols);
      scratch.push(parts);
      return parts;
    };
    kernels.push(...matmulKernels(product, tile, makeParts));
    firstRow += rows;
  }
  return { kernels, scratch };
}

/** Records a product. */
function recordProduct(b: Builder, whole: Product, vjp?: (back: Backward) => void): void {
  const { left, w, out, bias, addend } = whole;
  const { kernels, scratch } = productKernels(b, whole);
  b.record({
    op: 'linear',
    inputs: [left, w, bias, addend].filter((t) => t !== undefined),
    outputs: [out, ...scratch],
    kernels,
    onnx: (e) => productOnnx(e, whole),
    vjp,
  });
}
