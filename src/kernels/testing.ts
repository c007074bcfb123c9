/** For tests only: runs kernels on a real device, compares with float64, and differentiates by finite differences. */
import { expect } from 'vitest';
import {
  createBuffers,
  createPipelines,
  type Gpu,
  type OpenOptions,
  openGpu,
  type Pipelines,
  prepareDispatches,
  readBuffer,
  UNIFORM_STRIDE,
} from '../gpu/index.ts';
import {
  type Dims,
  type Dtype,
  type Kernel,
  type KernelTraits,
  type Size,
  size,
  type Tensor,
} from './kernel.ts';
import type { Builder, Node } from './op.ts';
import { packUniforms } from './uniforms.ts';

let nextId = 1_000_000;

export function testTensor(
  name: string,
  rows: Size,
  cols: number,
  kind: Tensor['kind'] = 'input',
  dtype: Dtype = 'f32',
): Tensor {
  return { id: nextId++, name, rows, cols, dtype, kind };
}

const opened = new Map<string, Promise<Gpu>>();
/** One device for a test file and a set of options. */
export function testGpu(options: OpenOptions = {}): Promise<Gpu> {
  const key = JSON.stringify(options);
  if (!opened.has(key)) opened.set(key, openGpu(options));
  return opened.get(key)!;
}

const compiled = new WeakMap<Gpu, Pipelines>();
/** One set of pipelines for a device: cases with one shader text compile it once. */
export function testPipelines(gpu: Gpu): Pipelines {
  const pipelines = compiled.get(gpu) ?? createPipelines(gpu);
  compiled.set(gpu, pipelines);
  return pipelines;
}

/** Both ways of row-wise reductions, so that tests cover the one this machine would not choose. */
export const allTraits: [string, KernelTraits][] = [
  ['one lane a row', { rowLanes: 1 }],
  ['64 lanes a row', { rowLanes: 64 }],
];

/** A third way, for devices that have it. */
export const withSubgroups: [string, KernelTraits] = [
  '64 lanes a row, by subgroups',
  { rowLanes: 64, subgroups: true },
];

export type TestData = Float32Array | Uint32Array | Uint16Array | Uint8Array;

/** Runs the kernels once, one after another. Tensors without data start as zeros. Results in the order of `outputs`, as f32. */
export async function runKernels(
  kernels: Kernel[],
  dims: Dims,
  data: Map<Tensor, TestData>,
  outputs: Tensor[],
  options: OpenOptions = {},
): Promise<Float32Array[]> {
  const gpu = await testGpu(options);
  const buffers = createBuffers(gpu);
  const made = new Map<Tensor, GPUBuffer>();
  const bufferOf = (tensor: Tensor): GPUBuffer => {
    let buffer = made.get(tensor);
    if (!buffer) {
      buffer = buffers.make(size(dims, tensor.rows) * tensor.cols * 4, tensor.name);
      const values = data.get(tensor);
      if (values) {
        const bytes = new Uint8Array(Math.ceil(values.byteLength / 4) * 4);
        bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
        gpu.queue.writeBuffer(buffer, 0, bytes);
      }
      made.set(tensor, buffer);
    }
    return buffer;
  };
  const uniforms = gpu.device.createBuffer({
    size: UNIFORM_STRIDE * kernels.length,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  gpu.queue.writeBuffer(uniforms, 0, packUniforms(kernels, dims));
  const dispatches = await prepareDispatches(
    gpu,
    testPipelines(gpu),
    kernels.map((k) => ({
      name: k.name,
      code: k.code,
      access: k.buffers.map((b) => b.access),
      buffers: k.buffers.map((b) => bufferOf(b.tensor)),
    })),
    uniforms,
  );
  gpu.device.pushErrorScope('validation');
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  dispatches.forEach((d, i) => {
    pass.setPipeline(d.pipeline);
    pass.setBindGroup(0, d.group, [d.uniformOffset]);
    pass.dispatchWorkgroups(...kernels[i].workgroups(dims));
  });
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  const invalid = await gpu.device.popErrorScope();
  if (invalid) throw new Error(invalid.message);
  const results: Float32Array[] = [];
  for (const tensor of outputs)
    results.push(
      new Float32Array(await readBuffer(gpu, bufferOf(tensor), size(dims, tensor.rows) * tensor.cols * 4)),
    );
  for (const buffer of made.values()) buffers.free(buffer);
  uniforms.destroy();
  return results;
}

/** Seeded values, roughly normal with deviation `scale`. */
export function randomValues(count: number, seed: number, scale = 1): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  return Float32Array.from({ length: count }, () => (next() + next() + next() + next() - 2) * 1.732 * scale);
}

/** max|a - b| / max|b|, the distance the reference README uses. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(actual[i] - expected[i]);
    if (!(d <= difference)) difference = d;
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return scale === 0 ? difference : difference / scale;
}

export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  expect(relativeError(actual, expected)).toBeLessThan(tolerance);
}

/** Central differences of a scalar function of `x`, in float64: the check of a gradient's formula. */
export function finiteDifferences(
  loss: (x: Float64Array) => number,
  x: ArrayLike<number>,
  step = 1e-5,
): Float64Array {
  const at = Float64Array.from(x);
  return at.map((value, i) => {
    at[i] = value + step;
    const up = loss(at);
    at[i] = value - step;
    const down = loss(at);
    at[i] = value;
    return (up - down) / (2 * step);
  });
}

export const dotProduct = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** A builder that only collects nodes, for testing what an op records. */
export function recordingBuilder(traits: KernelTraits): Builder & { nodes: Node[] } {
  const nodes: Node[] = [];
  return {
    traits,
    nodes,
    tensor: (name, rows, cols, dtype = 'f32') => testTensor(name, rows, cols, 'activation', dtype),
    record: (node) => nodes.push(node),
  };
}
