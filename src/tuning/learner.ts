import { createReadbackRing, readBuffer } from '../gpu/index.ts';
import {
  beginSubmission,
  buildProgram,
  freePersistent,
  type KernelTime,
  type ProfileClock,
  persistentBuffer,
  type Session,
  upload,
} from '../graph/index.ts';
import { type Dims, type KernelTraits, type Node, STAT, type Tensor, tensorBytes } from '../kernels/index.ts';
import type { FrozenModel } from '../models/index.ts';
import type { BatchExample, PackedExample } from './batch.ts';
import { capacityFor, cutBatches, makeFeed, targetLogits } from './feed.ts';
import { optimizerScalars } from './optimizer.ts';
import type { PromptSource } from './scorer.ts';
import type { Learner, LearnerState, StepReport } from './trainer.ts';
import { type LearnerSettings, lossScale, trainingGraph, updateGraph } from './trainingGraph.ts';

/** A soft prompt on the GPU with its gradient and its optimiser. */
export interface GpuLearner extends Learner {
  /** The prompt as it is at the moment it is read with. */
  readonly source: PromptSource;
  readonly length: number;
  /** GPU bytes of the two programs and of the state. */
  readonly bytes: number;
  readonly dispatches: number;
  /** Logits of each target token [tokens, V], example by example, of the last micro-batch; needs `keepLogits`. */
  readLogits(): Promise<Float32Array>;
  readGradient(): Promise<Float32Array>;
  /** Time of every dispatch of one step on the first micro-batch of these examples; the prompt is put back afterwards. */
  profile(examples: readonly number[]): Promise<LearnerProfile>;
  /** FLOPs of the last step's real rows. */
  readonly flops: number;
  destroy(): void;
}

/** One step, dispatch by dispatch. */
export interface LearnerProfile {
  clock: ProfileClock;
  examples: number;
  /** Rows that the model computed, and the sizes they were run with. */
  tokens: number;
  dims: Dims;
  training: KernelTime[];
  update: KernelTime[];
  /** The layer a node of `training` belongs to (an encoder's come first), or undefined. */
  layerOf(node: Node): number | undefined;
}

/** A command buffer should hold the device for no longer than this, or a page that draws beside it stutters. Milliseconds. */
const PIECE_MS = 50;
/** FLOPs a command buffer holds until the first steps have been timed: safe for the slowest device that can train at all. */
const FIRST_PIECE = 1e8;

/**
 * @param examples all training examples, by the index that `step` names them with; prompts from bank row 0.
 * @param microBatch examples on the GPU at once; a step of more is gathered over several.
 */
export async function createLearner(
  session: Session,
  traits: KernelTraits,
  model: FrozenModel,
  settings: LearnerSettings,
  examples: readonly BatchExample[],
  startValues: Float32Array<ArrayBuffer>,
  microBatch: number,
  onCompiled?: (done: number, total: number) => void,
): Promise<GpuLearner> {
  const { gpu } = session;
  const [encoderLayers] = model.info.layers;
  const capacity = capacityFor(makeFeed(model), examples, microBatch);
  const parts = trainingGraph({ ...traits, capacity }, model, settings);
  const { feed, prompt, gradient, loss, scene } = parts;
  const { graph: updating, rule, states, stats } = updateGraph(traits, settings, parts);

  const owned = [
    prompt,
    gradient,
    loss,
    stats,
    scene.start,
    scene.tokenGrad,
    scene.tokenMoved,
    scene.layers,
    ...Object.values(states),
  ];
  const [training, update] = await Promise.all([
    buildProgram(session, parts.nodes, {
      capacity,
      kept: settings.keepLogits ? [parts.logits] : [],
      onCompiled,
    }),
    buildProgram(session, updating.nodes, { capacity: {} }),
  ]);
  upload(session, prompt, startValues);
  upload(session, scene.start, startValues);

  const buffer = (tensor: Tensor) => persistentBuffer(session, tensor);
  const source = (tensor: Tensor) => ({ buffer: buffer(tensor), bytes: tensorBytes(tensor, {}) });
  const sceneSources = [scene.tokenGrad, scene.tokenMoved, scene.layers].map(source);
  const ring = createReadbackRing(
    gpu,
    [source(stats), ...sceneSources].reduce((sum, s) => sum + s.bytes, 0),
  );

  let flops = 0;
  let pieceFlops = FIRST_PIECE;
  let lastPacked: readonly PackedExample[] = [];
  let lastRows = 0;

  const scalesOf = (chosen: readonly BatchExample[]): Dims => ({
    lossScale: lossScale(settings.loss, chosen),
  });
  const scalars = { ...optimizerScalars(settings.optimizer), clipNorm: settings.clipNorm };

  const read = async (tensor: Tensor) =>
    new Float32Array(await readBuffer(gpu, buffer(tensor), tensorBytes(tensor, {})));

  const readState = async (): Promise<LearnerState> => {
    const entries = await Promise.all(
      Object.entries(states).map(async ([name, tensor]) => [name, await read(tensor)] as const),
    );
    return { prompt: await read(prompt), optimizer: Object.fromEntries(entries) };
  };
  const writeState = (state: LearnerState) => {
    upload(session, prompt, state.prompt);
    for (const [name, tensor] of Object.entries(states)) {
      const values = state.optimizer[name];
      if (!values) throw new Error(`the checkpoint has no ${name} of ${rule.name}`);
      upload(session, tensor, values);
    }
  };

  return {
    length: settings.length,
    source: { kind: 'buffer', length: settings.length, buffer: buffer(prompt) },
    dispatches: training.kernels.length + update.kernels.length,
    get bytes() {
      return training.bytes + update.bytes + owned.reduce((sum, tensor) => sum + buffer(tensor).size, 0);
    },
    get flops() {
      return flops;
    },
    async step(step, indices, { scene: wantsScene, learningRate }): Promise<StepReport> {
      const chosen = indices.map((index) => examples[index]);
      const batches = cutBatches(feed, chosen, capacity);
      const began = performance.now();
      let work = 0;
      let tokens = 0;
      let submission = beginSubmission(session, pieceFlops);
      batches.forEach((batch, i) => {
        // A program's inputs are written ahead of the queue, so each micro-batch has a submission of its own.
        if (i > 0) {
          submission.submit();
          submission = beginSubmission(session, pieceFlops);
        }
        const written = feed.write(training, batch);
        const dims: Dims = { ...written.dims, ...scalesOf(chosen), accumulate: i > 0 ? 1 : 0 };
        lastPacked = written.examples;
        lastRows = dims.N;
        tokens += written.tokens;
        training.record(submission, dims, { taps: wantsScene && i === batches.length - 1 });
        work += training.cost(dims).flops;
      });
      update.record(submission, { ...scalars, ...(learningRate !== undefined && { learningRate }), step });
      const slot = submission.submit((encoder) =>
        ring.copy(encoder, wantsScene ? [source(stats), ...sceneSources] : [source(stats)]),
      );
      const [statBytes, ...sceneBytes] = await slot.arrive();
      flops = work;
      pieceFlops = Math.max(FIRST_PIECE, (work / (performance.now() - began)) * PIECE_MS);
      const stat = new Float32Array(statBytes);
      const report: StepReport = {
        loss: stat[STAT.loss],
        gradNorm: stat[STAT.gradientNorm],
        finite: stat[STAT.skipped] === 0,
        tokens,
      };
      if (wantsScene) {
        const [tokenGrad, tokenMoved, squares] = sceneBytes.map((bytes) => new Float32Array(bytes));
        const norms = squares.map(Math.sqrt);
        report.scene = {
          tokenGrad,
          tokenMoved,
          encoderGrad: norms.slice(0, encoderLayers),
          decoderGrad: norms.slice(encoderLayers),
        };
      }
      return report;
    },
    readState,
    readPrompt: () => read(prompt),
    writeState,
    readGradient: () => read(gradient),
    async readLogits() {
      const bytes = 4 * lastRows * parts.logits.cols;
      const all = new Float32Array(await readBuffer(gpu, training.buffer(parts.logits), bytes));
      return targetLogits(all, lastPacked, parts.logits.cols);
    },
    async profile(indices) {
      const chosen = indices.map((index) => examples[index]);
      const [batch] = cutBatches(feed, chosen, capacity);
      const before = await readState();
      const { dims, tokens } = feed.write(training, batch);
      const all = { ...dims, ...scalesOf(batch), accumulate: 0 };
      const trainingTimes = await training.profile(all);
      const updateTimes = await update.profile({ ...scalars, step: 1 });
      writeState(before);
      return {
        clock: gpu.features.timestamps ? 'timestamps' : 'submissions',
        examples: batch.length,
        tokens,
        dims: all,
        training: trainingTimes,
        update: updateTimes,
        layerOf: parts.layerOf,
      };
    },
    destroy() {
      training.destroy();
      update.destroy();
      ring.destroy();
      freePersistent(session, owned);
    },
  };
}
