import type { Gpu, Pipelines } from '../../gpu/index.ts';
import type { KernelTraits, Tensor } from '../kernel.ts';
import { prepareKernels } from '../matmul/measure.ts';
import { ceilingKernels } from './products.ts';

/** What an adapter gives at best: the two roofs of its roofline (Williams, Waterman, Patterson 2009). */
export interface Ceilings {
  /** f32 products, 1e9 operations a second. */
  gflops: number;
  /** Bytes read and bytes written by a copy within the device's memory, 1e9 a second. */
  gbytes: number;
}

/** Edge of the squares that are multiplied: a GPU needs large ones to be busy, a software adapter is soon. */
const SOFTWARE_SIZE = 512;
const GPU_SIZE = 2048;
const COPY_BYTES = 2 ** 26;
/** At least this long, so that a submit's own cost does not count. Milliseconds. */
const ENOUGH_MS = 20;
const MOST_REPEATS = 64;
const ROUNDS = 3;

/** The fastest of the hand-written products, ready to be timed again and again. */
export interface ProductCeiling {
  gflops(): Promise<number>;
  free(): void;
}

/** @param quick tries the forms that win on software adapters only, since each takes a second to compile there. */
export async function prepareProductCeiling(
  gpu: Gpu,
  pipelines: Pipelines,
  traits: KernelTraits,
  { quick = false } = {},
): Promise<ProductCeiling> {
  const edge = traits.rowLanes === 1 ? SOFTWARE_SIZE : GPU_SIZE;
  const square = (name: string, id: number): Tensor => ({
    id,
    name,
    rows: edge,
    cols: edge,
    dtype: 'f32',
    kind: 'input',
  });
  const [a, b, c] = [square('a', -1), square('b', -2), square('c', -3)];
  const data = new Map([
    [a, pattern(edge ** 2, 1)],
    [b, pattern(edge ** 2, 2)],
  ]);
  const flops = 2 * edge ** 3;
  let best: { ms: number; times: number; run: (times: number) => Promise<number>; free(): void } | undefined;
  for (const kernel of ceilingKernels(edge, a, b, c, { quick: quick && traits.rowLanes === 1 })) {
    const prepared = await prepareKernels(gpu, pipelines, [kernel], {}, data);
    const times = repeats(await prepared.run(1));
    const ms = Math.min(await prepared.run(times), await prepared.run(times)) / times;
    if (!best || ms < best.ms) {
      best?.free();
      best = { ms, times, run: prepared.run, free: prepared.free };
    } else prepared.free();
  }
  const { run, free, times } = best!;
  return { gflops: async () => (times * flops) / (await run(times)) / 1e6, free };
}

/** Measures both roofs: about a second on a software adapter, far less on a GPU. */
export async function measureCeilings(
  gpu: Gpu,
  pipelines: Pipelines,
  traits: KernelTraits,
): Promise<Ceilings> {
  const product = await prepareProductCeiling(gpu, pipelines, traits, { quick: true });
  let gflops = 0;
  for (let round = 0; round < ROUNDS; round++) gflops = Math.max(gflops, await product.gflops());
  product.free();
  return { gflops, gbytes: await measureCopy(gpu) };
}

async function measureCopy({ device, queue }: Gpu): Promise<number> {
  const [from, to] = [0, 1].map(() =>
    device.createBuffer({
      label: 'copy ceiling',
      size: COPY_BYTES,
      usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }),
  );
  const run = async (times: number) => {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from!, 0, to!, 0, COPY_BYTES);
    const commands = encoder.finish();
    const began = performance.now();
    queue.submit([commands]);
    await queue.onSubmittedWorkDone();
    return performance.now() - began;
  };
  // The first copy also clears the buffers.
  await run(1);
  const times = repeats(await run(1));
  let ms = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) ms = Math.min(ms, (await run(times)) / times);
  for (const buffer of [from, to]) buffer!.destroy();
  return (2 * COPY_BYTES) / ms / 1e6;
}

const repeats = (ms: number): number => Math.max(1, Math.min(MOST_REPEATS, Math.ceil(ENOUGH_MS / ms)));

/** Seeded values in -0.5 .. 0.5: zeros would be faster than they should. */
function pattern(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}
