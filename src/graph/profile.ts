import type { Gpu } from '../gpu/index.ts';
import type { Dims, Kernel, Node } from '../kernels/index.ts';

/** One dispatch of a program, timed. */
export interface KernelTime {
  node: Node;
  kernel: Kernel;
  /** Since the first dispatch of the program began. */
  startNs: number;
  nanoseconds: number;
  flops: number;
  bytes: number;
  workgroups: [number, number, number];
}

/** `timestamps`: the device's own clock around each dispatch. `submissions`: each dispatch sent alone and waited for. */
export type ProfileClock = 'timestamps' | 'submissions';

/** Runs the dispatches of a program in their order, each timed. `encode` records number `index` into a pass. */
export async function timeDispatches(
  gpu: Gpu,
  dispatches: readonly { node: Node; kernel: Kernel }[],
  dims: Dims,
  encode: (pass: GPUComputePassEncoder, index: number) => void,
): Promise<KernelTime[]> {
  const time = gpu.features.timestamps ? byTimestamps : bySubmissions;
  const spans = await time(gpu, dispatches.length, encode);
  return dispatches.map(({ node, kernel }, i) => ({
    node,
    kernel,
    ...spans[i]!,
    ...kernel.cost(dims),
    workgroups: kernel.workgroups(dims),
  }));
}

interface Span {
  startNs: number;
  nanoseconds: number;
}

/** Dispatches of one query set: WebGPU guarantees 4096 queries. */
const MOST_AT_ONCE = 2048;

async function byTimestamps(
  { device, queue }: Gpu,
  count: number,
  encode: (pass: GPUComputePassEncoder, index: number) => void,
): Promise<Span[]> {
  const times: bigint[] = [];
  for (let from = 0; from < count; from += MOST_AT_ONCE) {
    const queries = 2 * Math.min(MOST_AT_ONCE, count - from);
    const querySet = device.createQuerySet({ type: 'timestamp', count: queries });
    const resolved = device.createBuffer({
      size: 8 * queries,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const staging = device.createBuffer({
      size: 8 * queries,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    for (let at = 0; at < queries; at += 2) {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
      });
      encode(pass, from + at / 2);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, queries, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 8 * queries);
    queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    times.push(...new BigUint64Array(staging.getMappedRange()));
    for (const buffer of [staging, resolved]) buffer.destroy();
    querySet.destroy();
  }
  // Drivers may hand out times that go back by a tick.
  return Array.from({ length: count }, (_, i) => ({
    startNs: Math.max(0, Number(times[2 * i]! - times[0]!)),
    nanoseconds: Math.max(0, Number(times[2 * i + 1]! - times[2 * i]!)),
  }));
}

const EMPTY_ROUNDS = 5;

/** The time of sending nothing is taken off each; what is left still holds the noise of a processor's clock. */
async function bySubmissions(
  { device, queue }: Gpu,
  count: number,
  encode: (pass: GPUComputePassEncoder, index: number) => void,
): Promise<Span[]> {
  const send = async (index?: number): Promise<[began: number, ended: number]> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    if (index !== undefined) encode(pass, index);
    pass.end();
    const commands = encoder.finish();
    const began = performance.now();
    queue.submit([commands]);
    await queue.onSubmittedWorkDone();
    return [began, performance.now()];
  };
  const empty: number[] = [];
  for (let i = 0; i < EMPTY_ROUNDS; i++) {
    const [began, ended] = await send();
    empty.push(ended - began);
  }
  const overhead = Math.min(...empty);
  const spans: Span[] = [];
  let startNs = 0;
  for (let i = 0; i < count; i++) {
    const [began, ended] = await send(i);
    const nanoseconds = 1e6 * Math.max(0, ended - began - overhead);
    spans.push({ startNs, nanoseconds });
    startNs += nanoseconds;
  }
  return spans;
}
