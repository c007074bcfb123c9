import type { Gpu } from '../gpu/index.ts';
import type { KernelTraits } from '../kernels/index.ts';

/** What the kernels should know of a device to choose their form. */
export function traitsOf(gpu: Gpu): KernelTraits {
  const { software } = gpu.adapter;
  return {
    rowLanes: software ? 1 : 64,
    // Lavapipe, the one software adapter that has it, reads halves a sixth to a quarter slower that way.
    shaderF16: gpu.features.shaderF16 && !software,
    subgroups: gpu.features.subgroups,
  };
}
