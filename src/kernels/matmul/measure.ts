import {
  createBuffers,
  type Gpu,
  type Pipelines,
  prepareDispatches,
  readBuffer,
  UNIFORM_STRIDE,
} from '../../gpu/index.ts';
import { type Dims, type Kernel, type Tensor, tensorBytes } from '../kernel.ts';
import { packUniforms } from '../uniforms.ts';

/** Kernels with buffers of their own, ready to be run again and again. */
export interface PreparedKernels {
  /** Runs all of them in order, `times` over, in one submit. @returns milliseconds until the device has finished. */
  run(times: number): Promise<number>;
  read(tensor: Tensor): Promise<Float32Array>;
  free(): void;
}

/** Tensors without data start as zeros. */
export async function prepareKernels(
  gpu: Gpu,
  pipelines: Pipelines,
  kernels: Kernel[],
  dims: Dims,
  data: ReadonlyMap<Tensor, Float32Array | Uint32Array>,
): Promise<PreparedKernels> {
  const pool = createBuffers(gpu);
  const made = new Map<Tensor, GPUBuffer>();
  for (const { tensor } of kernels.flatMap((kernel) => kernel.buffers)) {
    if (made.has(tensor)) continue;
    const buffer = pool.make(tensorBytes(tensor, dims), tensor.name);
    const values = data.get(tensor);
    if (values) gpu.queue.writeBuffer(buffer, 0, values.buffer, values.byteOffset, values.byteLength);
    made.set(tensor, buffer);
  }
  const uniforms = gpu.device.createBuffer({
    size: UNIFORM_STRIDE * kernels.length,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  gpu.queue.writeBuffer(uniforms, 0, packUniforms(kernels, dims));
  const dispatches = await prepareDispatches(
    gpu,
    pipelines,
    kernels.map((kernel) => ({
      name: kernel.name,
      code: kernel.code,
      access: kernel.buffers.map(({ access }) => access),
      buffers: kernel.buffers.map(({ tensor }) => made.get(tensor) as GPUBuffer),
    })),
    uniforms,
  );
  const groups = kernels.map((kernel) => kernel.workgroups(dims));
  return {
    async run(times) {
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let n = 0; n < times; n++)
        dispatches.forEach((dispatch, i) => {
          pass.setPipeline(dispatch.pipeline);
          pass.setBindGroup(0, dispatch.group, [dispatch.uniformOffset]);
          pass.dispatchWorkgroups(...groups[i]);
        });
      pass.end();
      const start = performance.now();
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
      return performance.now() - start;
    },
    async read(tensor) {
      const buffer = made.get(tensor);
      if (!buffer) throw new Error(`${tensor.name} is no tensor of these kernels`);
      return new Float32Array(await readBuffer(gpu, buffer, tensorBytes(tensor, dims)));
    },
    free() {
      for (const buffer of made.values()) pool.free(buffer);
      uniforms.destroy();
    },
  };
}
