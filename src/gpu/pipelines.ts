import { PreludeError } from '../errors.ts';
import type { Gpu } from './device.ts';

export type BufferAccess = 'read' | 'read_write';

/**
 * Compute pipelines of one device, each compiled once however often it is asked for. Group 0 of every kernel is: binding 0
 * a uniform block at a dynamic offset, bindings 1, 2, ... storage buffers in the order of `access`.
 */
export interface Pipelines {
  layout(access: BufferAccess[]): GPUBindGroupLayout;
  compile(code: string, access: BufferAccess[], label: string): Promise<GPUComputePipeline>;
  /** Pipelines compiled so far. */
  readonly count: number;
}

export function createPipelines({ device }: Gpu): Pipelines {
  const layouts = new Map<string, GPUBindGroupLayout>();
  const compiled = new Map<string, Promise<GPUComputePipeline>>();

  const layout = (access: BufferAccess[]): GPUBindGroupLayout => {
    const key = access.join();
    let found = layouts.get(key);
    if (!found) {
      found = device.createBindGroupLayout({
        entries: [
          {
            binding: 0,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: 'uniform', hasDynamicOffset: true },
          },
          ...access.map((a, i) => ({
            binding: i + 1,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: a === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
          })),
        ],
      });
      layouts.set(key, found);
    }
    return found;
  };

  const build = async (code: string, access: BufferAccess[], label: string): Promise<GPUComputePipeline> => {
    const module = device.createShaderModule({ code, label });
    try {
      return await device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout(access)] }),
        compute: { module, entryPoint: 'main' },
      });
    } catch (cause) {
      const info = await module.getCompilationInfo();
      const messages = info.messages.map((m) => `  line ${m.lineNum}: ${m.message}`).join('\n');
      const numbered = code
        .split('\n')
        .map((text, i) => `${String(i + 1).padStart(4)} ${text}`)
        .join('\n');
      throw new PreludeError(
        'shader',
        `The shader "${label}" does not compile: ${String(cause)}\n${messages}\n${numbered}`,
        {
          where: label,
          remedy: 'Update the browser and the graphics driver; if it stays, report it with this text.',
          cause,
        },
      );
    }
  };

  return {
    layout,
    compile(code, access, label) {
      const key = `${access.join()}\n${code}`;
      let found = compiled.get(key);
      if (!found) {
        found = build(code, access, label);
        compiled.set(key, found);
      }
      return found;
    },
    get count() {
      return compiled.size;
    },
  };
}
