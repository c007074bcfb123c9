import { PreludeError } from '../errors.ts';
import { subgroupsAreInOrder } from './subgroups.ts';

/** An open device with what the engine needs to know of it. */
export interface Gpu {
  device: GPUDevice;
  queue: GPUQueue;
  /** Who made the adapter, for a person and for caches keyed by adapter. */
  adapter: { vendor: string; architecture: string; description: string; software: boolean };
  /** `subgroups` only where they are laid out as the kernels take them. */
  features: { shaderF16: boolean; subgroups: boolean; timestamps: boolean };
  limits: GPUSupportedLimits;
  /** Resolves when the device is gone, with the browser's reason. `destroyed` is our own doing. */
  lost: Promise<{ reason: string; message: string }>;
  close(): void;
}

/** Ways to open a device with less than the adapter has, so that the plain paths can be tested anywhere. */
export interface OpenOptions {
  /** Where WebGPU comes from: `navigator.gpu`, or Dawn for Node. */
  gpu?: GPU;
  /** Leave features out even where the adapter has them. */
  without?: ('subgroups' | 'shader-f16' | 'timestamp-query')[];
  /** WebGPU's guaranteed limits only: 128 MiB bindings, 8 storage buffers a stage, 16 KiB of workgroup memory. */
  defaultLimits?: boolean;
}

/** Limits whose adapter maxima the engine asks for. */
const WANTED_LIMITS = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies (keyof GPUSupportedLimits)[];

/** The smallest limits the engine runs with: what WebGPU guarantees. */
const NEEDED_STORAGE_BUFFERS = 8;

/**
 * Opens the best adapter with its maximal limits and the optional features it has.
 * @throws PreludeError `no-webgpu`, `no-adapter` or `limit-too-small`.
 */
export async function openGpu(options: OpenOptions = {}): Promise<Gpu> {
  const gpu = options.gpu ?? globalThis.navigator?.gpu;
  if (!gpu)
    throw new PreludeError('no-webgpu', 'This browser offers no WebGPU to this page.', {
      remedy: 'Open the page over https or from localhost in a recent Chrome, Edge, Firefox or Safari.',
    });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new PreludeError('no-adapter', 'WebGPU is there, but it found no graphics adapter to use.', {
      remedy: 'Switch on hardware acceleration in the browser settings, or allow the software adapter.',
    });
  if (adapter.limits.maxStorageBuffersPerShaderStage < NEEDED_STORAGE_BUFFERS)
    throw new PreludeError(
      'limit-too-small',
      `The adapter allows ${adapter.limits.maxStorageBuffersPerShaderStage} storage buffers a shader; ${NEEDED_STORAGE_BUFFERS} are needed.`,
      { remedy: 'Switch off the compatibility mode of WebGPU, or use another browser or computer.' },
    );

  const has = (name: 'subgroups' | 'shader-f16' | 'timestamp-query') =>
    adapter.features.has(name as GPUFeatureName) && !options.without?.includes(name);
  const requiredFeatures = (['subgroups', 'shader-f16', 'timestamp-query'] as const).filter(
    has,
  ) as GPUFeatureName[];
  const requiredLimits: Record<string, number> = {};
  if (!options.defaultLimits)
    for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name] as number;
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits, label: 'prelude' });

  const info = adapter.info;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  return {
    device,
    queue: device.queue,
    adapter: {
      vendor: info.vendor,
      architecture: info.architecture,
      description: info.description,
      software: /swiftshader|llvmpipe|lavapipe|basic render|warp/.test(words),
    },
    features: {
      shaderF16: requiredFeatures.includes('shader-f16'),
      subgroups:
        requiredFeatures.includes('subgroups' as GPUFeatureName) && (await subgroupsAreInOrder(device)),
      timestamps: requiredFeatures.includes('timestamp-query'),
    },
    limits: device.limits,
    lost: device.lost.then((lost) => ({ reason: lost.reason, message: lost.message })),
    close: () => device.destroy(),
  };
}
