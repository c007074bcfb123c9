import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import gatherWgsl from './gather_rows.wgsl?raw';
import { gatherRowsBackwardOnnx, gatherRowsOnnx } from './onnx.ts';

/** In an index: no row. */
const NO_ROW = 0xffff_ffff;

/**
 * Some rows of x, in a new order: the rows that carry a label, before the head.
 *
 *     y[n] = x[index[n]],   dx[r] = dy[inverse[r]], or 0 where inverse[r] is NO_ROW
 *
 * x [D, d]; index u32 [N, 1], without repeats; inverse u32 [D, 1] with inverse[index[n]] = n (see `invertRows`); y [N, d].
 */
export function gatherRows(b: Builder, x: Tensor, index: Tensor, inverse: Tensor): Tensor {
  const y = b.tensor(`${x.name}.rows`, index.rows, x.cols);
  b.record({
    op: 'gather_rows',
    inputs: [x, index],
    outputs: [y],
    kernels: [gatherRowsKernel('forward', x, index, y)],
    onnx: (e) => gatherRowsOnnx(e, x, index, y),
    vjp(back) {
      const dy = back.grad(y);
      if (!dy || !back.wants(x)) return;
      back.contribute(x, {
        kind: 'add',
        make(addend) {
          const dx = back.tensor(`d ${x.name}`, x.rows, x.cols);
          back.record({
            op: 'gather_rows',
            inputs: addend ? [dy, inverse, addend] : [dy, inverse],
            outputs: [dx],
            kernels: [gatherRowsKernel('backward', dy, inverse, dx, addend)],
            onnx: (e) => gatherRowsBackwardOnnx(e, dy, inverse, dx, addend),
          });
          return dx;
        },
      });
    },
  });
  return y;
}

/** `to[i] = from[index[i]]`, 0 where that is NO_ROW, plus `addend`. */
function gatherRowsKernel(
  direction: 'forward' | 'backward',
  from: Tensor,
  index: Tensor,
  to: Tensor,
  addend?: Tensor,
): Kernel {
  const vector = from.cols % 4 === 0;
  const width = vector ? from.cols / 4 : from.cols;
  return {
    name: `gather_rows/${direction}`,
    code: expandWgsl(gatherWgsl, {
      V: vector ? 'vec4f' : 'f32',
      WIDTH: width,
      ADDEND: addend !== undefined,
    }),
    buffers: [
      { tensor: from, access: 'read' },
      { tensor: index, access: 'read' },
      { tensor: to, access: 'read_write' },
      ...(addend ? [{ tensor: addend, access: 'read' as const }] : []),
    ],
    uniforms: [u32(index.rows)],
    workgroups: (dims) => grid(size(dims, index.rows) * width, 64),
    cost: (dims) => ({
      flops: addend ? size(dims, index.rows) * from.cols : 0,
      bytes: (addend ? 12 : 8) * size(dims, index.rows) * from.cols,
    }),
  };
}

/** The inverse of an index without repeats into `rows` rows. @throws Error on a repeat or a row out of range. */
export function invertRows(index: ArrayLike<number>, rows: number): Uint32Array<ArrayBuffer> {
  const inverse = new Uint32Array(rows).fill(NO_ROW);
  for (let n = 0; n < index.length; n++) {
    if (!(index[n] < rows)) throw new Error(`row ${index[n]} of ${rows}`);
    if (inverse[index[n]] !== NO_ROW) throw new Error(`row ${index[n]} is gathered twice`);
    inverse[index[n]] = n;
  }
  return inverse;
}
