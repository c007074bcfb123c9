import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import addWgsl from './add.wgsl?raw';
import { addOnnx } from './onnx.ts';

/** z = x + y, all [M, d]; both gradients are dz itself. For sums that no kernel before them can take along. */
export function add(b: Builder, x: Tensor, y: Tensor, name = `${x.name}+${y.name}`): Tensor {
  const z = b.tensor(name, x.rows, x.cols);
  b.record({
    op: 'add',
    inputs: [x, y],
    outputs: [z],
    kernels: [addKernel(x, y, z)],
    onnx: (e) => addOnnx(e, x, y, z),
    vjp(back) {
      const dz = back.grad(z);
      if (!dz) return;
      for (const input of [x, y]) if (back.wants(input)) back.contribute(input, { kind: 'pass', tensor: dz });
    },
  });
  return z;
}

function addKernel(x: Tensor, y: Tensor, z: Tensor): Kernel {
  if (x.cols !== y.cols || x.rows !== y.rows)
    throw new Error(`add: ${x.name} [${x.rows}, ${x.cols}] and ${y.name} [${y.rows}, ${y.cols}] differ`);
  const vector = x.cols % 4 === 0;
  const width = vector ? x.cols / 4 : x.cols;
  return {
    name: 'add/forward',
    code: expandWgsl(addWgsl, { V: vector ? 'vec4f' : 'f32', WIDTH: width }),
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: y, access: 'read' },
      { tensor: z, access: 'read_write' },
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid(size(dims, x.rows) * width, 64),
    cost: (dims) => ({ flops: size(dims, x.rows) * x.cols, bytes: 12 * size(dims, x.rows) * x.cols }),
  };
}
