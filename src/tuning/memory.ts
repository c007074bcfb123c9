import { livingNodes, planMemory } from '../graph/index.ts';
import { type Dims, type KernelTraits, type Node, type Tensor, tensorBytes } from '../kernels/index.ts';
import type { FrozenModel } from '../models/index.ts';
import type { BatchExample } from './batch.ts';
import { capacityFor, makeFeed } from './feed.ts';
import { optimizerRule } from './optimizer.ts';
import { BANK_ROWS, readingBatch, readingGraph } from './scorer.ts';
import { type LearnerSettings, trainingGraph } from './trainingGraph.ts';

/** Bytes of GPU memory. */
export interface MemoryPrediction {
  weights: number;
  /** Activations, batch inputs and state of a training step, and of the evaluations between steps. */
  activations: number;
  total: number;
  /** The largest single buffer that is not a weight. */
  largest: number;
  /** Activations and inputs of a training step that no plan can go below. */
  lowerBound: number;
  /** FLOPs of a training step as large as the batch may be, and rows of the widest products. */
  flops: number;
  rows: number;
}

/** A buffer's size on the device. */
const padded = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);

const inputsOf = (nodes: readonly Node[]): Set<Tensor> =>
  new Set(
    nodes
      .flatMap(({ kernels }) => kernels.flatMap(({ buffers }) => buffers.map(({ tensor }) => tensor)))
      .filter(({ kind }) => kind === 'input'),
  );

/** Bytes of a program's own buffers. */
function programBytes(nodes: readonly Node[], capacity: Dims, kept: readonly Tensor[]) {
  const plan = planMemory(nodes, capacity, kept);
  const inputs = [...inputsOf(nodes)].map((tensor) => padded(tensorBytes(tensor, capacity)));
  const inputBytes = inputs.reduce((sum, bytes) => sum + bytes, 0);
  return {
    bytes: plan.buffers.reduce((sum, bytes) => sum + padded(bytes), 0) + inputBytes,
    largest: Math.max(0, ...plan.buffers, ...inputs),
    lowerBound: plan.lowerBound + inputBytes,
  };
}

export interface MemoryOptions {
  /** Dev rows that are read between steps, with all their candidates. */
  dev?: readonly BatchExample[];
  /** Bytes of the largest buffer that the device allows. Default: any. */
  bindingLimit?: number;
}

/**
 * GPU memory a run will take by its (micro-)batch, known before anything is allocated: `predict(batch)`, or `predict(batch, n)` where
 * the first n layers are run again on the way back.
 */
export function predictMemory(
  traits: KernelTraits,
  model: FrozenModel,
  settings: LearnerSettings,
  examples: readonly BatchExample[],
  { dev = [], bindingLimit = Number.POSITIVE_INFINITY }: MemoryOptions = {},
): (batch: number, recompute?: number) => MemoryPrediction {
  const weights = model.frozen.reduce((sum, { tensor }) => sum + padded(tensorBytes(tensor, {})), 0);
  const { width, vocabSize } = model.info;
  const states = optimizerRule(settings.optimizer, settings.length, width).states(settings.length, width);
  const stateBytes =
    // The prompt, its start and its gradient.
    3 * padded(4 * settings.length * width) +
    Object.values(states).reduce((sum, [rows, cols]) => sum + padded(4 * rows * cols), 0);

  const feed = makeFeed(model);
  let reading = { bytes: 0, largest: 0 };
  if (dev.length > 0) {
    const { capacity } = readingBatch(feed, dev, vocabSize, bindingLimit);
    const bank: Tensor = { id: -1, name: 'bank', rows: BANK_ROWS, cols: width, dtype: 'f32', kind: 'state' };
    const { graph, scores } = readingGraph({ ...traits, capacity }, feed, bank);
    const program = programBytes(livingNodes(graph.nodes, [scores]), capacity, [scores]);
    reading = { bytes: program.bytes + padded(4 * BANK_ROWS * width), largest: program.largest };
  }

  return (batch, recompute = settings.recompute ?? 0) => {
    const capacity = capacityFor(feed, examples, batch);
    const parts = trainingGraph({ ...traits, capacity }, model, { ...settings, recompute });
    const living = livingNodes(parts.nodes, []);
    const program = programBytes(living, capacity, settings.keepLogits ? [parts.logits] : []);
    const activations = program.bytes + stateBytes + reading.bytes;
    const dims: Dims = { ...NO_COUNTS, ...capacity };
    return {
      weights,
      activations,
      total: weights + activations,
      largest: Math.max(program.largest, reading.largest),
      lowerBound: program.lowerBound,
      rows: capacity.T!,
      flops: living.reduce(
        (sum, { kernels }) => sum + kernels.reduce((s, kernel) => s + kernel.cost(dims).flops, 0),
        0,
      ),
    };
  };
}

/** Sizes that only a packed batch has. Pairs of rows are left out: what is compared by FLOPs differs little in them. */
const NO_COUNTS: Dims = {
  P: 0,
  pairs: 0,
  labelPairs: 0,
  encoderPairs: 0,
  decoderPairs: 0,
  crossPairs: 0,
  lossScale: 1,
  accumulate: 0,
};

/** A batch and the way it fits. */
export interface BatchPlan {
  microBatch: number;
  /** Layers that are run again on the way back. */
  recompute: number;
  memory: MemoryPrediction;
  /** The largest batch that fits at once; with layers run again, where the one that is wanted does not fit without. */
  largestBatch: number;
}

const guess = (memory: MemoryPrediction, more: number): MemoryPrediction => ({
  ...memory,
  activations: memory.activations + more,
});

/** No batch beyond this is looked for. */
const LARGEST_BATCH = 1024;
/** A product of fewer rows keeps a device as busy as one of these. */
const BUSY_ROWS = 128;

/**
 * The cheapest way to take `wanted` examples a step: at once where they fit, else either in smaller micro-batches (a shared prompt's
 * rows are computed for each, and few rows leave a device idle) or with layers run again, whichever takes less work.
 */
export function planBatch(
  predict: (batch: number, recompute: number) => MemoryPrediction,
  fits: (memory: MemoryPrediction) => boolean,
  layers: number,
  wanted: number,
): BatchPlan {
  const known = new Map<string, MemoryPrediction>();
  const at = (batch: number, recompute: number): MemoryPrediction => {
    const key = `${batch} ${recompute}`;
    const found = known.get(key) ?? predict(batch, recompute);
    known.set(key, found);
    return found;
  };
  /** The largest power of two that fits. Memory grows nearly as a line, which says where to look: recording a program takes a while. */
  const most = (recompute: number): number => {
    const near = Math.max(2, wanted);
    const slope = (at(near, recompute).activations - at(1, recompute).activations) / (near - 1);
    let batch = 1;
    while (batch < LARGEST_BATCH && fits(guess(at(near, recompute), (2 * batch - near) * slope))) batch *= 2;
    while (batch > 1 && !fits(at(batch, recompute))) batch /= 2;
    while (batch < LARGEST_BATCH && fits(at(2 * batch, recompute))) batch *= 2;
    return batch;
  };
  const plain = fits(at(wanted, 0)) ? Math.max(wanted, most(0)) : most(0);
  const largestBatch = Math.max(plain, wanted > plain ? most(layers) : 1);
  const plan = (microBatch: number, recompute: number): BatchPlan => ({
    microBatch,
    recompute,
    memory: at(microBatch, recompute),
    largestBatch,
  });
  if (wanted <= plain) return plan(wanted, 0);

  const work = ({ microBatch, memory }: BatchPlan): number =>
    Math.ceil(wanted / microBatch) * memory.flops * Math.max(1, BUSY_ROWS / memory.rows);
  let best = plan(plain, 0);
  for (let microBatch = wanted; microBatch > plain; microBatch = Math.ceil(microBatch / 2)) {
    if (!fits(at(microBatch, layers))) continue;
    // The fewest layers with which it fits.
    let [low, high] = [1, layers];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (fits(at(microBatch, middle))) high = middle;
      else low = middle + 1;
    }
    const again = plan(microBatch, high);
    if (work(again) < work(best)) best = again;
  }
  return best;
}
