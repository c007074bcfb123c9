import {
  type Buffers,
  createBuffers,
  createPipelines,
  type Dispatch,
  type Gpu,
  type Pipelines,
  prepareDispatches,
  UNIFORM_STRIDE,
} from '../gpu/index.ts';
import {
  type Dims,
  type Kernel,
  type Node,
  packUniforms,
  piecesOf,
  size,
  type Tensor,
  tensorBytes,
} from '../kernels/index.ts';
import { livingNodes, type MemoryPlan, planMemory } from './plan.ts';
import { type KernelTime, timeDispatches } from './profile.ts';

/** What all programs of a session share: the device, its compiled pipelines, and the buffers that outlive a step. */
export interface Session {
  gpu: Gpu;
  pipelines: Pipelines;
  buffers: Buffers;
  /** Buffers of weights and state, by tensor. */
  persistent: Map<Tensor, GPUBuffer>;
}

/** @param pipelines those of other sessions on the device, whose shaders need not compile again */
export function createSession(gpu: Gpu, pipelines: Pipelines = createPipelines(gpu)): Session {
  return { gpu, pipelines, buffers: createBuffers(gpu), persistent: new Map() };
}

/** The buffer of a weight or of state, made on first use. */
export function persistentBuffer(session: Session, tensor: Tensor): GPUBuffer {
  let buffer = session.persistent.get(tensor);
  if (!buffer) {
    if (typeof tensor.rows !== 'number')
      throw new Error(`${tensor.name}: kept tensors need a fixed number of rows`);
    buffer = session.buffers.make(tensorBytes(tensor, {}), tensor.name);
    session.persistent.set(tensor, buffer);
  }
  return buffer;
}

/** Frees weights and state. */
export function freePersistent(session: Session, tensors: Iterable<Tensor>): void {
  for (const whole of tensors)
    for (const tensor of piecesOf(whole)) {
      const buffer = session.persistent.get(tensor);
      if (buffer) session.buffers.free(buffer);
      session.persistent.delete(tensor);
    }
}

export interface ProgramOptions {
  /** Largest sizes a batch may have: buffers are made for these, any smaller batch runs without a new one. */
  capacity: Dims;
  /** Activations to keep for others to read after the step. */
  kept?: Tensor[];
  onCompiled?: (done: number, total: number) => void;
}

/** A graph made ready: pipelines compiled, buffers assigned, bind groups made. Runs any batch up to its capacity. */
export interface Program {
  readonly capacity: Dims;
  readonly kernels: readonly Kernel[];
  readonly plan: MemoryPlan;
  /** Bytes of activations, batch inputs and uniforms. */
  readonly bytes: number;
  /** Buffer of an input, a kept activation, a weight or state. */
  buffer(tensor: Tensor): GPUBuffer;
  /** Writes a batch input; takes effect in the next `run`. */
  write(tensor: Tensor, data: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>): void;
  /** FLOPs and bytes of a batch, counted from real rows. */
  cost(dims: Dims): { flops: number; bytes: number };
  /** Appends the program to a submission. A program may be in it once: its uniforms are written ahead of the queue. */
  record(submission: Submission, dims: Dims, options?: { taps?: boolean }): void;
  /** Runs it with the time of each dispatch taken; taps are left out. */
  profile(dims: Dims): Promise<KernelTime[]>;
  destroy(): void;
}

/** Work on its way to the queue: one command buffer, or several where it would hold the device for too long. */
export interface Submission {
  /** The pass to record `flops` of work into. */
  pass(flops: number): GPUComputePassEncoder;
  /** Sends what was recorded. `last` may add copies at its end; what it returns is returned. */
  submit(): void;
  submit<R>(last: (encoder: GPUCommandEncoder) => R): R;
}

/**
 * @param pieceFlops a command buffer is closed when it holds about this much work, so that no submit runs into the watchdog
 * of a GPU or stalls the page.
 */
export function beginSubmission({ gpu }: Session, pieceFlops = Number.POSITIVE_INFINITY): Submission {
  let encoder = gpu.device.createCommandEncoder();
  let pass: GPUComputePassEncoder | undefined;
  let work = 0;
  const send = () => {
    pass?.end();
    pass = undefined;
    gpu.queue.submit([encoder.finish()]);
  };
  const submission = {
    pass(flops: number) {
      if (work > 0 && work + flops > pieceFlops) {
        send();
        encoder = gpu.device.createCommandEncoder();
        work = 0;
      }
      work += flops;
      pass ??= encoder.beginComputePass();
      return pass;
    },
    submit<R>(last?: (encoder: GPUCommandEncoder) => R): R | undefined {
      pass?.end();
      pass = undefined;
      const result = last?.(encoder);
      gpu.queue.submit([encoder.finish()]);
      return result;
    },
  };
  return submission as Submission;
}

/** Uses a program's graph for no other purpose; `wanted` are activations to be read after a run. */
export async function buildProgram(
  session: Session,
  nodes: readonly Node[],
  { capacity, kept = [], onCompiled }: ProgramOptions,
): Promise<Program> {
  const { gpu, pipelines, buffers } = session;
  const living = livingNodes(nodes, kept);
  const steps = living.flatMap((node) => node.kernels.map((kernel) => ({ node, kernel })));
  const kernels = steps.map(({ kernel }) => kernel);
  const plan = planMemory(living, capacity, kept);

  const own: GPUBuffer[] = [];
  const make = (bytes: number, label: string) => {
    const buffer = buffers.make(bytes, label);
    own.push(buffer);
    return buffer;
  };
  const shared = plan.buffers.map((bytes, i) => make(bytes, `activation ${i}`));
  const inputs = new Map<Tensor, GPUBuffer>();
  for (const kernel of kernels)
    for (const { tensor } of kernel.buffers)
      if (tensor.kind === 'input' && !inputs.has(tensor))
        inputs.set(tensor, make(tensorBytes(tensor, capacity), tensor.name));
  const bufferOf = (tensor: Tensor): GPUBuffer => {
    if (tensor.kind === 'weight' || tensor.kind === 'state') return persistentBuffer(session, tensor);
    const buffer = tensor.kind === 'input' ? inputs.get(tensor) : shared[plan.home.get(tensor) ?? -1];
    if (!buffer) throw new Error(`${tensor.name} is not part of this program`);
    return buffer;
  };

  const uniforms = gpu.device.createBuffer({
    label: 'uniforms',
    size: Math.max(1, kernels.length) * UNIFORM_STRIDE,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  let dispatches: Dispatch[];
  try {
    dispatches = await prepareDispatches(
      gpu,
      pipelines,
      kernels.map((kernel) => ({
        name: kernel.name,
        code: kernel.code,
        access: kernel.buffers.map((b) => b.access),
        buffers: kernel.buffers.map(({ tensor }) =>
          tensor.view
            ? {
                buffer: bufferOf(tensor.view.of),
                offset: tensor.view.offset,
                size: Math.ceil(tensorBytes(tensor, {}) / 4) * 4,
              }
            : bufferOf(tensor),
        ),
      })),
      uniforms,
      onCompiled,
    );
  } catch (error) {
    for (const buffer of own) buffers.free(buffer);
    uniforms.destroy();
    throw error;
  }

  const encode = (pass: GPUComputePassEncoder, index: number, dims: Dims) => {
    const { pipeline, group, uniformOffset } = dispatches[index];
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [uniformOffset]);
    pass.dispatchWorkgroups(...kernels[index].workgroups(dims));
  };
  const begin = (dims: Dims) => {
    for (const [name, most] of Object.entries(capacity))
      if ((dims[name] ?? 0) > most)
        throw new Error(`${name} is ${dims[name]}; this program was built for ${most}`);
    gpu.queue.writeBuffer(uniforms, 0, packUniforms(kernels as Kernel[], dims));
  };

  return {
    capacity,
    kernels,
    plan,
    bytes: own.reduce((sum, buffer) => sum + buffer.size, 0) + uniforms.size,
    buffer: bufferOf,
    write(tensor, data) {
      const buffer = inputs.get(tensor);
      // An input that no kernel of this program reads is of no interest to it.
      if (buffer) gpu.queue.writeBuffer(buffer, 0, data);
    },
    cost(dims) {
      const sum = { flops: 0, bytes: 0 };
      for (const kernel of kernels) {
        const { flops, bytes } = kernel.cost(dims);
        sum.flops += flops;
        sum.bytes += bytes;
      }
      return sum;
    },
    record(submission, dims, { taps = false } = {}) {
      begin(dims);
      kernels.forEach((kernel, index) => {
        if (steps[index]!.node.tap && !taps) return;
        encode(submission.pass(kernel.cost(dims).flops), index, dims);
      });
    },
    profile(dims) {
      begin(dims);
      const timed = steps.flatMap((step, index) => (step.node.tap ? [] : [{ ...step, index }]));
      return timeDispatches(gpu, timed, dims, (pass, at) => encode(pass, timed[at]!.index, dims));
    },
    destroy() {
      for (const buffer of own) buffers.free(buffer);
      uniforms.destroy();
    },
  };
}

/** Writes data into a weight's or a state's buffer. */
export function upload(session: Session, tensor: Tensor, data: ArrayBufferView<ArrayBuffer>): void {
  const expected = tensorBytes(tensor, {});
  if (data.byteLength !== expected)
    throw new Error(
      `${tensor.name} [${size({}, tensor.rows)}, ${tensor.cols}] ${tensor.dtype}: ${data.byteLength} bytes given, ${expected} needed`,
    );
  const aligned = data.byteLength % 4 === 0 ? data : paddedCopy(data);
  session.gpu.queue.writeBuffer(persistentBuffer(session, tensor), 0, aligned);
}

/** Writes part of a weight, `offset` bytes from its start, a multiple of 4: matrices may come in pieces. */
export function uploadPart(
  session: Session,
  tensor: Tensor,
  offset: number,
  data: ArrayBufferView<ArrayBuffer>,
): void {
  const aligned = data.byteLength % 4 === 0 ? data : paddedCopy(data);
  session.gpu.queue.writeBuffer(persistentBuffer(session, tensor), offset, aligned);
}

/** `writeBuffer` takes multiples of four bytes; an odd number of halves is one short. */
function paddedCopy(data: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return padded;
}
