import type { Gpu } from './device.ts';
import type { BufferAccess, Pipelines } from './pipelines.ts';

/** Bytes between two uniform blocks; WebGPU guarantees that 256 is a valid dynamic offset step. */
export const UNIFORM_STRIDE = 256;

/** One prepared dispatch: everything but the numbers of the batch. */
export interface Dispatch {
  name: string;
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  uniformOffset: number;
}

/** What `prepareDispatches` needs to know of each kernel. */
export interface DispatchSource {
  name: string;
  code: string;
  access: BufferAccess[];
  /** Whole buffers, or parts of them. */
  buffers: (GPUBuffer | GPUBufferBinding)[];
}

/**
 * Compiles all kernels at once (asynchronously, in parallel) and makes their bind groups over `uniforms`, where dispatch i has
 * its block at `i * UNIFORM_STRIDE`.
 */
export async function prepareDispatches(
  gpu: Gpu,
  pipelines: Pipelines,
  sources: DispatchSource[],
  uniforms: GPUBuffer,
  onCompiled?: (done: number, total: number) => void,
): Promise<Dispatch[]> {
  let done = 0;
  return Promise.all(
    sources.map(async (source, index) => {
      const pipeline = await pipelines.compile(source.code, source.access, source.name);
      onCompiled?.(++done, sources.length);
      const group = gpu.device.createBindGroup({
        label: source.name,
        layout: pipelines.layout(source.access),
        entries: [
          { binding: 0, resource: { buffer: uniforms, size: UNIFORM_STRIDE } },
          ...source.buffers.map((buffer, i) => ({
            binding: i + 1,
            resource: 'buffer' in buffer ? buffer : { buffer },
          })),
        ],
      });
      return { name: source.name, pipeline, group, uniformOffset: index * UNIFORM_STRIDE };
    }),
  );
}
