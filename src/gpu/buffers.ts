import { PreludeError } from '../errors.ts';
import type { Gpu } from './device.ts';

/** Counts live bytes of the buffers it makes, so that peak memory is known and not guessed. */
export interface Buffers {
  /** A zeroed storage buffer of at least `bytes` bytes (rounded up to 16). Freed by `free`. */
  make(bytes: number, label: string): GPUBuffer;
  free(buffer: GPUBuffer): void;
  readonly liveBytes: number;
  readonly peakBytes: number;
}

export function createBuffers(gpu: Gpu): Buffers {
  let live = 0;
  let peak = 0;
  const limit = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize);
  return {
    make(bytes, label) {
      const size = Math.max(16, Math.ceil(bytes / 16) * 16);
      if (size > limit)
        throw new PreludeError(
          'limit-too-small',
          `${label} needs ${size} bytes in one buffer; this device allows ${limit}.`,
          {
            where: label,
            remedy: 'Use a smaller batch, a shorter input, or a smaller model.',
          },
        );
      const buffer = gpu.device.createBuffer({
        label,
        size,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      live += size;
      peak = Math.max(peak, live);
      return buffer;
    },
    free(buffer) {
      live -= buffer.size;
      buffer.destroy();
    },
    get liveBytes() {
      return live;
    },
    get peakBytes() {
      return peak;
    },
  };
}

/** Copies `bytes` bytes of a buffer to JavaScript. Waits for the queue. */
export async function readBuffer(
  gpu: Gpu,
  buffer: GPUBuffer,
  bytes: number,
  offset = 0,
): Promise<ArrayBuffer> {
  const size = Math.ceil(bytes / 4) * 4;
  const staging = gpu.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const copy = staging.getMappedRange().slice(0, bytes);
  staging.destroy();
  return copy;
}

/**
 * A ring of staging buffers: small results are copied at the end of a step and arrive later, so that the queue never drains
 * for a readback.
 */
export interface ReadbackRing {
  /** Records copies of the first `bytes` of each source; call `arrive` after the submit that holds them. */
  copy(encoder: GPUCommandEncoder, sources: readonly { buffer: GPUBuffer; bytes: number }[]): RingSlot;
  destroy(): void;
}
export interface RingSlot {
  /** The sources' bytes, one ArrayBuffer each, once the device has finished. Call it once, after the submit. */
  arrive(): Promise<ArrayBuffer[]>;
}

export function createReadbackRing(gpu: Gpu, slotBytes: number): ReadbackRing {
  const free: GPUBuffer[] = [];
  const all: GPUBuffer[] = [];
  return {
    copy(encoder, sources) {
      let staging = free.pop();
      if (!staging) {
        staging = gpu.device.createBuffer({
          label: 'readback',
          size: Math.ceil(slotBytes / 4) * 4,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        });
        all.push(staging);
      }
      const slot = staging;
      let end = 0;
      const parts = sources.map(({ buffer, bytes }) => {
        const part = { from: end, bytes };
        encoder.copyBufferToBuffer(buffer, 0, slot, end, bytes);
        end += bytes;
        return part;
      });
      return {
        async arrive() {
          await slot.mapAsync(GPUMapMode.READ);
          const whole = slot.getMappedRange(0, end);
          const copies = parts.map(({ from, bytes }) => whole.slice(from, from + bytes));
          slot.unmap();
          free.push(slot);
          return copies;
        },
      };
    },
    destroy() {
      for (const buffer of all) buffer.destroy();
    },
  };
}
