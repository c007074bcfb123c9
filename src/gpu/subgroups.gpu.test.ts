import { expect, test } from 'vitest';
import { openGpu } from './device.ts';
import { subgroupsAreInOrder } from './subgroups.ts';
import probe from './subgroups.wgsl?raw';

test('the order of subgroups is asked; where it is another, or cannot be asked, the plain kernels run', async (context) => {
  const gpu = await openGpu();
  try {
    if (!gpu.device.features.has('subgroups')) return context.skip('the adapter has no subgroups');
    expect(await subgroupsAreInOrder(gpu.device)).toBe(gpu.features.subgroups);
    const doctored = (from: string, to: string) => {
      expect(probe).toContain(from);
      return probe.replace(from, to);
    };
    const swapped = doctored('lane == local % size', '(lane ^ 1u) == local % size');
    const strided = doctored('quadSwapY(local)', 'quadSwapY(4u * local)');
    const broken = doctored('fn main(', 'fn main(,');
    for (const code of [swapped, strided, broken])
      expect(await subgroupsAreInOrder(gpu.device, code)).toBe(false);
  } finally {
    gpu.close();
  }
});
