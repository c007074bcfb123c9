/**
 * What 8 and 4 bits cost in accuracy: the same task learned on the same model at each precision, from the same start, on the same
 * batches. `npx tsx bench/precisionMain.ts [--model small] [--task fact-or-opinion] [--steps 100] [--seeds 0,1]`. Runs on ONNX Runtime,
 * which sees the dequantised values and is faster than a software adapter.
 */
import { makeModel, PRECISIONS, readFrozen } from '../src/models/index.ts';
import { loadRuntime } from '../src/onnx/index.ts';
import {
  adafactorDefaults,
  createOnnxLearner,
  createOnnxScorer,
  createSampler,
} from '../src/tuning/index.ts';
import { frequentStart, judge, LENGTH, openBuiltIn, openTask } from './baselines/task.ts';
import type { GpuContext } from './harness/index.ts';

export interface PrecisionArgs {
  model: string;
  task: string;
  steps: number;
  seeds: number[];
}

const BATCH = 16;

export default async function run(context: GpuContext): Promise<void> {
  const { model: modelName, task, steps, seeds } = context.args as PrecisionArgs;
  const ort = await loadRuntime({ wasm: await context.fetchBytes('/ort/ort-wasm-simd-threaded.wasm') });
  const { config, weights, tokenizer } = await openBuiltIn(context, modelName);
  const { training, heldOut } = await openTask(context, task, tokenizer);
  const settings = {
    length: LENGTH,
    loss: 'verbalizers',
    optimizer: adafactorDefaults,
    clipNorm: 0,
  } as const;

  for (const precision of PRECISIONS) {
    const model = makeModel(config, weights, { precision });
    const embedding = await readFrozen(weights, model.embedding);
    const scorer = await createOnnxScorer(ort, model, weights);
    const measure = async (values: Float32Array<ArrayBuffer>) => {
      const prompt = { kind: 'values', length: LENGTH, values } as const;
      const scores = await scorer.score(heldOut.map(({ ids, answers }) => ({ ids, answers, prompt })));
      const { loss, accuracy } = judge(scores, heldOut);
      return `loss ${loss.toFixed(4)} accuracy ${accuracy.toFixed(3)}`;
    };
    for (const seed of seeds) {
      const start = frequentStart(seed, { embedding, width: model.info.width, tokenizer });
      const before = await measure(start.slice());
      const learner = await createOnnxLearner(ort, model, weights, settings, training, start, BATCH);
      const sampler = createSampler(training.length, BATCH, seed);
      for (let step = 1; step <= steps; step++)
        await learner.step(step, sampler.batch(step), { scene: false });
      const { prompt: values } = await learner.readState();
      learner.destroy();
      context.send({
        line: `${modelName} ${task} ${precision.padEnd(6)} seed ${seed}: start ${before}, after ${steps} steps ${await measure(values)}`,
      });
    }
    scorer.destroy();
  }
}
