import { livingNodes } from '../../graph/index.ts';
import { type Dims, optimizeOnCpu } from '../../kernels/index.ts';
import type { FrozenModel } from '../../models/index.ts';
import { createOnnxProgram, lowerGraph, type OnnxRuntime } from '../../onnx/index.ts';
import type { WeightFile } from '../../weights/index.ts';
import type { BatchExample } from '../batch.ts';
import { capacityFor, cutBatches, targetLogits } from '../feed.ts';
import { optimizerRule, optimizerScalars } from '../optimizer.ts';
import type { PromptSource } from '../scorer.ts';
import type { Learner, LearnerState, StepOptions, StepReport } from '../trainer.ts';
import { type LearnerSettings, lossScale, trainingGraph } from '../trainingGraph.ts';
import { breathe, collectBatch, frozenValues } from './batch.ts';

/** A soft prompt in plain memory, its gradient computed by ONNX Runtime on the CPU. */
export interface OnnxLearner extends Learner {
  readonly length: number;
  /** The prompt as it is at the moment it is read with. */
  readonly source: PromptSource;
  /** Bytes of the frozen weights in the runtime and of the state, at least. */
  readonly bytes: number;
  /** FLOPs of the last step's real rows. */
  readonly flops: number;
  /** Logits of each target token [tokens, V], example by example, of the last micro-batch; needs `keepLogits`. */
  readLogits(): Promise<Float32Array>;
  readGradient(): Promise<Float32Array>;
  destroy(): void;
}

/** Kernels are only counted here, not run. */
const TRAITS = { rowLanes: 1 };

/** WASM has 4 GiB. Packed, a learner takes two and a half times its weights, and the scorer beside it one and a half times. */
const PACKED_BYTES = 768 * 2 ** 20;

/**
 * The learner without a GPU: forward, loss and backward are the graph's ONNX form, the optimiser is ours. Its state is that of
 * `createLearner`, so that a run may go on with the other engine.
 * @param microBatch examples in memory at once; a step of more is gathered over several.
 */
export async function createOnnxLearner(
  ort: OnnxRuntime,
  model: FrozenModel,
  weights: WeightFile,
  settings: LearnerSettings,
  examples: readonly BatchExample[],
  startValues: Float32Array<ArrayBuffer>,
  microBatch: number,
): Promise<OnnxLearner> {
  const { width, layers: layerCounts } = model.info;
  const { length } = settings;
  const { graph, feed, gradient, loss, logits, scene } = trainingGraph(TRAITS, model, settings);
  const kernels = livingNodes(graph.nodes, []).flatMap((node) => node.kernels);
  const program = await createOnnxProgram<'loss' | 'gradient' | 'layers' | 'logits'>(
    ort,
    lowerGraph(graph.nodes, {
      outputs: { loss, gradient, layers: scene.layers, ...(settings.keepLogits ? { logits } : {}) },
    }),
    frozenValues(model, weights),
    { packUpTo: PACKED_BYTES },
  );

  const rule = optimizerRule(settings.optimizer, length, width);
  const scalars: Dims = { ...optimizerScalars(settings.optimizer), clipNorm: settings.clipNorm };
  const states = Object.fromEntries(
    Object.entries(rule.states(length, width)).map(([name, [rows, cols]]) => [
      name,
      new Float32Array(rows * cols),
    ]),
  );
  const prompt = startValues.slice();
  let lastGradient = new Float32Array(prompt.length);
  let lastLogits: Float32Array = new Float32Array();
  let flops = 0;
  const capacity = capacityFor(feed, examples, microBatch);

  // Steps may be asked for before the last one has ended; each waits for its turn.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => T | Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };

  const takeStep = async (
    step: number,
    indices: readonly number[],
    { scene: wantsScene, learningRate }: StepOptions,
  ) => {
    await breathe();
    const chosen = indices.map((index) => examples[index]);
    const sum = new Float32Array(prompt.length);
    let total = 0;
    let layers = new Float32Array();
    let tokens = 0;
    flops = 0;
    for (const batch of cutBatches(feed, chosen, capacity)) {
      const packed = collectBatch(feed, batch);
      const dims = { ...packed.dims, lossScale: lossScale(settings.loss, chosen), accumulate: 0 };
      const out = await program.run({
        dims,
        inputs: packed.inputs,
        states: { prompt: { values: prompt, rows: length } },
      });
      out.gradient.forEach((value, i) => {
        sum[i] += value;
      });
      tokens += packed.tokens;
      total += out.loss[0];
      layers = out.layers as Float32Array<ArrayBuffer>;
      if (settings.keepLogits)
        lastLogits = targetLogits(out.logits as Float32Array, packed.examples, logits.cols);
      for (const kernel of kernels) flops += kernel.cost(dims).flops;
    }
    lastGradient = sum;
    // Seen before the update, as on the GPU.
    const before = wantsScene && {
      tokenGrad: rowNorms(sum, width),
      tokenMoved: rowNorms(
        prompt.map((value, i) => value - startValues[i]),
        width,
      ),
    };
    const leaf = { rows: length, cols: width, parameter: prompt, states };
    const { gradientNorm, skipped } = optimizeOnCpu(rule, leaf, sum, total, {
      ...scalars,
      ...(learningRate !== undefined && { learningRate }),
      step,
    });
    const report: StepReport = {
      loss: total,
      gradNorm: gradientNorm,
      finite: !skipped,
      tokens,
    };
    if (before) {
      const norms = layers.map(Math.sqrt);
      report.scene = {
        ...before,
        encoderGrad: norms.slice(0, layerCounts[0]),
        decoderGrad: norms.slice(layerCounts[0]),
      };
    }
    return report;
  };

  return {
    length,
    source: { kind: 'values', length, values: prompt },
    bytes: program.bytes + 4 * (prompt.length * 3 + Object.values(states).reduce((n, s) => n + s.length, 0)),
    get flops() {
      return flops;
    },
    step: (step, indices, options) => inTurn(() => takeStep(step, indices, options)),
    readState: () =>
      inTurn(() => ({
        prompt: prompt.slice(),
        optimizer: Object.fromEntries(Object.entries(states).map(([name, values]) => [name, values.slice()])),
      })),
    writeState(state: LearnerState) {
      for (const name of Object.keys(states))
        if (!state.optimizer[name]) throw new Error(`the checkpoint has no ${name} of ${rule.name}`);
      void inTurn(() => {
        prompt.set(state.prompt);
        for (const [name, values] of Object.entries(states)) values.set(state.optimizer[name]);
      });
    },
    readGradient: () => inTurn(() => lastGradient.slice()),
    readLogits: () => inTurn(() => lastLogits.slice()),
    destroy: () => void inTurn(() => program.destroy()),
  };
}

function rowNorms(values: Float32Array, cols: number): Float32Array {
  const norms = new Float32Array(values.length / cols);
  for (let row = 0; row < norms.length; row++) {
    let squares = 0;
    for (let at = row * cols; at < (row + 1) * cols; at++) squares += values[at] * values[at];
    norms[row] = Math.sqrt(squares);
  }
  return norms;
}
