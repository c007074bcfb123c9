/**
 * Trains sample tasks on a built-in model with the recipe and the split of the PyTorch baselines (the last quarter of each file
 * held out, 300 steps of Adafactor at 0.3 over the verbalizers, start from frequent tokens, inputs of at most 48 tokens), and says
 * what accuracy the engine reaches. Entry of `npm run baselines`.
 */
import { openGpu } from '../../src/gpu/index.ts';
import { createSession } from '../../src/graph/index.ts';
import { makeModel, readFrozen, traitsOf, uploadFrozen } from '../../src/models/index.ts';
import {
  adafactorDefaults,
  createLearner,
  createSampler,
  createScorer,
  defaultRecipe,
} from '../../src/tuning/index.ts';
import type { GpuContext } from '../harness/index.ts';
import { frequentStart, judge, LENGTH, openBuiltIn, openTask } from './task.ts';

export interface BaselineRun {
  task: string;
  model: string;
  seed: number;
  accuracy: number;
  seconds: number;
}

const STEPS = 300;
const BATCH = 32;

export default async function run(context: GpuContext): Promise<{ adapter: string; runs: BaselineRun[] }> {
  const {
    model: modelName,
    tasks,
    seeds,
  } = context.args as { model: string; tasks: string[]; seeds: number[] };
  const gpu = await openGpu({ gpu: context.gpu });
  const session = createSession(gpu);
  const traits = traitsOf(gpu);
  const { config, weights, tokenizer } = await openBuiltIn(context, modelName);
  const model = makeModel(config, weights);
  await uploadFrozen(session, model, weights);
  const embedding = await readFrozen(weights, model.embedding);
  const scorer = createScorer(session, traits, model);
  const { vendor, architecture, description } = gpu.adapter;
  const runs: BaselineRun[] = [];

  for (const task of tasks) {
    const { training, heldOut } = await openTask(context, task, tokenizer);
    for (const seed of seeds) {
      const began = performance.now();
      const start = frequentStart(seed, { embedding, width: model.info.width, tokenizer });
      const learner = await createLearner(
        session,
        traits,
        model,
        {
          length: LENGTH,
          loss: defaultRecipe.loss,
          // transformers' Adafactor factors every matrix.
          optimizer: { ...adafactorDefaults, factored: 'always', weightDecay: 0 },
          clipNorm: 0,
        },
        training,
        start,
        BATCH,
      );
      const sampler = createSampler(training.length, BATCH, seed);
      for (let step = 1; step <= STEPS; step++) {
        const { loss, finite } = await learner.step(step, sampler.batch(step), { scene: false });
        if (!finite) throw new Error(`${task}, seed ${seed}: the loss of step ${step} is not finite`);
        if (step % 100 === 0)
          context.send({ line: `  ${task} seed ${seed}: step ${step}, loss ${loss.toFixed(3)}` });
      }
      const { prompt: values } = await learner.readState();
      learner.destroy();
      const prompt = { kind: 'values', length: LENGTH, values } as const;
      const scores = await scorer.score(heldOut.map(({ ids, answers }) => ({ ids, answers, prompt })));
      const done = {
        task,
        model: modelName,
        seed,
        accuracy: judge(scores, heldOut).accuracy,
        seconds: (performance.now() - began) / 1000,
      };
      runs.push(done);
      context.send({
        line: `${task} ${modelName} seed ${seed}: ${done.accuracy.toFixed(4)} in ${done.seconds.toFixed(0)} s`,
      });
    }
  }
  gpu.close();
  return { adapter: [vendor, architecture, description].filter(Boolean).join(' '), runs };
}
