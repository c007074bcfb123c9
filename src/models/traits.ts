import type { Gpu } from '../gpu/index.ts';
import type { KernelTraits } from '../kernels/index.ts';

/** What the kernels should know of a device to choose their form. */
export function traitsOf(gpu: Gpu): KernelTraits {
  const { shaderF16, subgroups } = gpu.features;
  return { rowLanes: gpu.adapter.software ? 1 : 64, shaderF16, subgroups };
}
