import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter } from '../onnx.ts';

const NO_ROW = 0xffff_ffff;

export function gatherRowsOnnx(e: OnnxEmitter, x: Tensor, index: Tensor, y: Tensor): void {
  const rows = e.feed({
    name: index.name,
    origin: { tensor: index, part: 'values' },
    dtype: 'i32',
    shape: [index.rows],
    compute(batch) {
      const data = Int32Array.from(batch.read(index));
      return { data, shape: [data.length] };
    },
  });
  e.set(y, e.node('Gather', [e.value(x), rows], { axis: 0 }));
}

/** Rows that nobody gathered take a row of zeros put behind the others. */
export function gatherRowsBackwardOnnx(
  e: OnnxEmitter,
  dy: Tensor,
  inverse: Tensor,
  dx: Tensor,
  addend?: Tensor,
): void {
  const rows = e.feed({
    name: `${inverse.name} or zeros`,
    origin: { tensor: inverse, part: 'inverse' },
    dtype: 'i32',
    shape: [inverse.rows],
    compute(batch) {
      const from = batch.read(inverse);
      const zeros = from.reduce((count, row) => count + (row === NO_ROW ? 0 : 1), 0);
      return { data: Int32Array.from(from, (row) => (row === NO_ROW ? zeros : row)), shape: [from.length] };
    },
  });
  const zeros = e.f32(new Array<number>(dy.cols).fill(0), [1, dy.cols]);
  const all = e.node('Concat', [e.value(dy), zeros], { axis: 0 });
  const spread = e.node('Gather', [all, rows], { axis: 0 });
  e.set(dx, addend ? e.node('Add', [spread, e.value(addend)]) : spread);
}
