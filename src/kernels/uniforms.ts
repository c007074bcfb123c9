import { UNIFORM_STRIDE } from '../gpu/index.ts';
import type { Dims, Kernel } from './kernel.ts';

/** The uniform blocks of all kernels for one batch, `UNIFORM_STRIDE` bytes each, in order. */
export function packUniforms(kernels: Kernel[], dims: Dims): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(UNIFORM_STRIDE * kernels.length));
  kernels.forEach((kernel, index) => {
    kernel.uniforms.forEach((uniform, word) => {
      const at = index * UNIFORM_STRIDE + 4 * word;
      if (uniform.type === 'u32') view.setUint32(at, uniform.value(dims), true);
      else view.setFloat32(at, uniform.value(dims), true);
    });
  });
  return view.buffer;
}
