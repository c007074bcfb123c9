/**
 * The step benchmark: what a training step costs on this adapter, as a share of the fastest f32 product it gives in the same run.
 * Entry of `npm run bench`.
 */
import { createPipelines, type Gpu, openGpu, type Pipelines } from '../src/gpu/index.ts';
import { createSession, freePersistent, type KernelTime, type Session } from '../src/graph/index.ts';
import { prepareProductCeiling } from '../src/kernels/ceiling/ceiling.ts';
import { type FrozenModel, makeModel, type Precision, traitsOf, uploadFrozen } from '../src/models/index.ts';
import {
  adamwDefaults,
  type BatchExample,
  createLearner,
  createScorer,
  type GpuLearner,
  predictMemory,
  warmPipelines,
} from '../src/tuning/index.ts';
import type { GpuContext } from './harness/index.ts';
import { values } from './kernels/rounds.ts';
import {
  configOf,
  curve,
  examplesOf,
  neededFlops,
  randomWeights,
  type Workload,
  workloads,
} from './workloads.ts';

export interface WorkloadResult {
  step_ms: { min: number; median: number; max: number };
  needed_gflop: number;
  gflops: number;
  /** Of the rounds of this workload. */
  ceiling_gflops: number;
  ceiling_share: number;
  dispatches: number;
  peak_bytes: number;
  lower_bound_bytes: number;
  warmup_s: number;
  forward_ms: number;
  /** Milliseconds of one profiled step by kernel. */
  kernels: { name: string; ms: number; dispatches: number; gflop: number; mbytes: number }[];
}

export interface BenchReport {
  adapter: string;
  runtime: string;
  date: string;
  /** How the weights were kept, where not in f32. */
  precision?: Precision;
  ceiling_gflops: number;
  workloads: Record<string, WorkloadResult>;
  curves?: Record<string, CurvePoint[]>;
}

/** One point of a cost curve: W1 with one thing changed to `x`. */
export interface CurvePoint {
  x: number;
  step_ms: number;
  ceiling_share: number;
  peak_bytes: number;
  lower_bound_bytes: number;
  needed_gflop: number;
}

interface BenchArgs {
  workloads?: string[];
  rounds?: number;
  curves?: string[];
  /** Default: weights in f32, as they are made. */
  precision?: Precision;
}

const CURVES = ['prompt', 'batch', 'length', 'depth'] as const;

const median = (list: readonly number[]) => [...list].sort((x, y) => x - y)[Math.floor(list.length / 2)];

type StepResult = Omit<WorkloadResult, 'forward_ms' | 'kernels'>;

/** Times steps of a workload; `further` measures more on the same model while its learner lives. */
async function measureSteps<R>(
  gpu: Gpu,
  pipelines: Pipelines,
  workload: Workload,
  rounds: number,
  ceiling: () => Promise<number>,
  further: (parts: {
    session: Session;
    model: FrozenModel;
    learner: GpuLearner;
    examples: BatchExample[];
    start: Float32Array<ArrayBuffer>;
  }) => Promise<R>,
): Promise<StepResult & R> {
  const session = createSession(gpu, pipelines);
  const traits = traitsOf(gpu);
  const weights = randomWeights(workload.shape);
  const model = makeModel(configOf(workload.shape), weights, { precision: workload.precision });
  // As the studio does: shaders compile while the weights are read.
  void warmPipelines(session, traits, model);
  await uploadFrozen(session, model, weights);
  await gpu.queue.onSubmittedWorkDone();

  const examples = examplesOf(workload);
  const all = examples.map((_, i) => i);
  const start = Float32Array.from(values(workload.prompt * model.info.width, 3));
  const settings = {
    length: workload.prompt,
    loss: 'vocabulary',
    optimizer: adamwDefaults,
    clipNorm: 0,
  } as const;
  const warm = performance.now();
  const learner = await createLearner(session, traits, model, settings, examples, start, examples.length);
  const first = await learner.step(1, all, { scene: false });
  const warmup_s = (performance.now() - warm) / 1000;
  if (!first.finite) throw new Error(`${workload.name}: the first loss is not finite`);

  const times: number[] = [];
  const ceilings: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ceilings.push(await ceiling());
    const began = performance.now();
    await learner.step(round + 2, all, { scene: false });
    times.push(performance.now() - began);
  }
  const peak_bytes = session.buffers.peakBytes;
  const { dispatches } = learner;
  const more = await further({ session, model, learner, examples, start });
  learner.destroy();
  const memory = predictMemory(traits, model, settings, examples)(examples.length);
  freePersistent(
    session,
    model.frozen.map((frozen) => frozen.tensor),
  );

  const needed = neededFlops(workload).step / 1e9;
  const step = median(times);
  const gflops = (1000 * needed) / step;
  return {
    step_ms: { min: Math.min(...times), median: step, max: Math.max(...times) },
    needed_gflop: needed,
    gflops,
    ceiling_gflops: median(ceilings),
    ceiling_share: gflops / median(ceilings),
    dispatches,
    peak_bytes,
    lower_bound_bytes: memory.weights + memory.lowerBound,
    warmup_s,
    ...more,
  };
}

/** Steps, every dispatch of one, and the forward pass alone. Shaders are compiled anew, as in a page that just opened. */
const measure = (
  gpu: Gpu,
  workload: Workload,
  rounds: number,
  ceiling: () => Promise<number>,
): Promise<WorkloadResult> =>
  measureSteps(
    gpu,
    createPipelines(gpu),
    workload,
    rounds,
    ceiling,
    async ({ session, model, learner, examples, start }) => {
      const { training, update } = await learner.profile(examples.map((_, i) => i));
      const scorer = createScorer(session, traitsOf(gpu), model);
      const prompt = { kind: 'values', length: workload.prompt, values: start } as const;
      const inputs = examples.map(({ ids, answers }) => ({ ids, answers, prompt }));
      await scorer.score(inputs);
      const forward: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const began = performance.now();
        await scorer.score(inputs);
        forward.push(performance.now() - began);
      }
      scorer.destroy();
      return { forward_ms: median(forward), kernels: byKernel([...training, ...update]) };
    },
  );

function byKernel(times: KernelTime[]): WorkloadResult['kernels'] {
  const sums = new Map<
    string,
    { name: string; ms: number; dispatches: number; gflop: number; mbytes: number }
  >();
  for (const { kernel, nanoseconds, flops, bytes } of times) {
    const { name } = kernel;
    const sum = sums.get(name) ?? { name, ms: 0, dispatches: 0, gflop: 0, mbytes: 0 };
    sum.ms += nanoseconds / 1e6;
    sum.dispatches++;
    sum.gflop += flops / 1e9;
    sum.mbytes += bytes / 1e6;
    sums.set(name, sum);
  }
  return [...sums.values()].sort((a, b) => b.ms - a.ms);
}

export default async function run(context: GpuContext): Promise<BenchReport> {
  const args = (context.args ?? {}) as BenchArgs;
  const wanted = args.workloads ?? ['W1', 'W1r'];
  const rounds = args.rounds ?? 5;
  const say = (line: string) => context.send({ line });
  const gpu = await openGpu({ gpu: context.gpu });
  const { vendor, architecture, description } = gpu.adapter;
  const report: BenchReport = {
    adapter: [vendor, architecture, description].filter(Boolean).join(' '),
    runtime: context.runtime,
    date: new Date().toISOString().slice(0, 10),
    ...(args.precision && { precision: args.precision }),
    ceiling_gflops: 0,
    workloads: {},
  };
  say(`adapter: ${report.adapter} (${context.runtime})`);
  // The ceiling takes turns with the steps: on a shared machine only ratios of one moment say something.
  const ceiling = await prepareProductCeiling(gpu, createPipelines(gpu), traitsOf(gpu));

  for (const name of wanted) {
    const known = workloads.find((one) => one.name === name);
    if (!known)
      throw new Error(`there is no workload ${name}; known are ${workloads.map((w) => w.name).join(', ')}`);
    const workload = { ...known, precision: args.precision };
    const result = await measure(gpu, workload, rounds, ceiling.gflops);
    report.ceiling_gflops = Math.max(report.ceiling_gflops, result.ceiling_gflops);
    report.workloads[name] = result;
    say(`${name}: ${workload.about}`);
    say(
      `  step ${result.step_ms.median.toFixed(0)} ms (${result.step_ms.min.toFixed(0)} to ${result.step_ms.max.toFixed(0)}), forward ${result.forward_ms.toFixed(0)} ms`,
    );
    say(
      `  ${result.needed_gflop.toFixed(2)} GFLOP needed, ${result.gflops.toFixed(2)} GFLOP/s, ${(100 * result.ceiling_share).toFixed(0)} % of the ceiling (${result.ceiling_gflops.toFixed(2)})`,
    );
    say(
      `  ${result.dispatches} dispatches, peak ${(result.peak_bytes / 2 ** 20).toFixed(1)} MiB (at least ${(result.lower_bound_bytes / 2 ** 20).toFixed(1)}), first step after ${result.warmup_s.toFixed(2)} s`,
    );
    for (const kernel of result.kernels.slice(0, 12))
      say(
        `    ${kernel.name.padEnd(30)} ${kernel.ms.toFixed(1).padStart(8)} ms  x${String(kernel.dispatches).padEnd(4)} ${kernel.gflop.toFixed(3)} GFLOP  ${kernel.mbytes.toFixed(1)} MB`,
      );
  }

  for (const name of args.curves ?? [])
    if (!(CURVES as readonly string[]).includes(name))
      throw new Error(`there is no curve ${name}; known are ${CURVES.join(', ')}`);
  const pipelines = createPipelines(gpu);
  for (const which of CURVES.filter((c) => args.curves?.includes(c))) {
    const points: CurvePoint[] = [];
    for (const { x, workload } of curve(which)) {
      const result = await measureSteps(gpu, pipelines, workload, rounds, ceiling.gflops, async () => ({}));
      report.ceiling_gflops = Math.max(report.ceiling_gflops, result.ceiling_gflops);
      points.push({
        x,
        step_ms: result.step_ms.median,
        ceiling_share: result.ceiling_share,
        peak_bytes: result.peak_bytes,
        lower_bound_bytes: result.lower_bound_bytes,
        needed_gflop: result.needed_gflop,
      });
      say(
        `  ${which} ${x}: ${result.step_ms.median.toFixed(0)} ms, ${(result.peak_bytes / 2 ** 20).toFixed(1)} MiB`,
      );
    }
    report.curves = { ...report.curves, [which]: points };
  }
  ceiling.free();
  gpu.close();
  return report;
}
