import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, type KernelTraits, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import argmaxWgsl from './argmax.wgsl?raw';
import { argmaxOnnx } from './onnx.ts';

/**
 * The column of each row's largest value, the first of equals: greedy decoding's choice. x [M, V] -> u32 [M, 1]. No gradient.
 */
export function argmax(b: Builder, x: Tensor): Tensor {
  const index = b.tensor(`${x.name}.argmax`, x.rows, 1, 'u32');
  b.record({
    op: 'argmax',
    inputs: [x],
    outputs: [index],
    kernels: [argmaxKernel(b.traits, x, index)],
    onnx: (e) => argmaxOnnx(e, x, index),
  });
  return index;
}

export function argmaxKernel(traits: KernelTraits, x: Tensor, index: Tensor): Kernel {
  const rows = traits.rowLanes === 1 ? 4 : 1;
  return {
    name: 'argmax',
    code: expandWgsl(argmaxWgsl, { LANES: traits.rowLanes, ROWS: rows, COLUMNS: x.cols }),
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: index, access: 'read_write' },
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid(size(dims, x.rows), rows),
    cost: (dims) => ({ flops: size(dims, x.rows) * x.cols, bytes: 4 * size(dims, x.rows) * x.cols }),
  };
}
