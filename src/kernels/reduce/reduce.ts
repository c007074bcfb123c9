import { expandWgsl } from '../../gpu/index.ts';
import {
  type Kernel,
  type KernelTraits,
  type Size,
  size,
  type Tensor,
  type Uniform,
  u32,
} from '../kernel.ts';
import sumWgsl from './sum.wgsl?raw';

const CONSTANT = (type: Uniform['type'], value: number): Uniform => ({ type, value: () => value });

/**
 * out[slot] = scale * sum of the first `count` entries of x, or of all; added to what out[slot] held where `accumulate` says so.
 * Always in the same order.
 */
export function sumKernel(
  traits: KernelTraits,
  x: Tensor,
  out: Tensor,
  settings: { slot?: number; scale?: Uniform; accumulate?: Uniform; count?: Size } = {},
): Kernel {
  const count: Uniform = settings.count
    ? u32(settings.count)
    : { type: 'u32', value: (dims) => size(dims, x.rows) * x.cols };
  return {
    name: 'reduce/sum',
    code: expandWgsl(sumWgsl, { LANES: traits.rowLanes, SLOT: settings.slot ?? 0 }),
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: out, access: 'read_write' },
    ],
    uniforms: [count, settings.accumulate ?? CONSTANT('u32', 0), settings.scale ?? CONSTANT('f32', 1)],
    workgroups: () => [1, 1, 1],
    cost: (dims) => ({ flops: count.value(dims), bytes: 4 * count.value(dims) }),
  };
}
