/**
 * Trains sample tasks on a built-in model with the recipe and the split of the PyTorch baselines (the last quarter of each file
 * held out, 300 steps of Adafactor at 0.3 over the verbalizers, start from frequent tokens, inputs of at most 48 tokens), and says
 * what accuracy the engine reaches. Entry of `npm run baselines`.
 */
import { loadSampleIndex, makeExamples, readTable, splitOrdered } from '../../src/data/index.ts';
import { openGpu } from '../../src/gpu/index.ts';
import { createSession } from '../../src/graph/index.ts';
import { makeModel, readFrozen, traitsOf, uploadFrozen } from '../../src/models/index.ts';
import { encodeExamples, loadTokenizer, makeVerbalizers } from '../../src/text/index.ts';
import {
  adafactorDefaults,
  createLearner,
  createSampler,
  createScorer,
  defaultRecipe,
  planAnswers,
  startPrompt,
} from '../../src/tuning/index.ts';
import { bytesSource, openSafetensors } from '../../src/weights/index.ts';
import type { GpuContext } from '../harness/index.ts';

export interface BaselineRun {
  task: string;
  model: string;
  seed: number;
  accuracy: number;
  seconds: number;
}

const LENGTH = 20;
const STEPS = 300;
const BATCH = 32;
const MAX_TOKENS = 48;
/** `evaluate.py` draws from ids 3 to 2,999. */
const FREQUENT = 2997;

export default async function run(context: GpuContext): Promise<{ adapter: string; runs: BaselineRun[] }> {
  const {
    model: modelName,
    tasks,
    seeds,
  } = context.args as { model: string; tasks: string[]; seeds: number[] };
  const json = async (path: string): Promise<unknown> =>
    JSON.parse(new TextDecoder().decode(await context.fetchBytes(path)));
  const gpu = await openGpu({ gpu: context.gpu });
  const session = createSession(gpu);
  const traits = traitsOf(gpu);
  const tokenizer = loadTokenizer(await json('/models/tokenizer.json'));
  const weights = await openSafetensors(
    bytesSource(await context.fetchBytes(`/models/${modelName}/model.safetensors`)),
  );
  const model = makeModel(await json(`/models/${modelName}/config.json`), weights);
  await uploadFrozen(session, model, weights);
  const embedding = await readFrozen(weights, model.embedding);
  const scorer = createScorer(session, traits, model);
  const { samples } = await loadSampleIndex(() => json('/samples/index.json'));
  const { vendor, architecture, description } = gpu.adapter;
  const runs: BaselineRun[] = [];

  for (const task of tasks) {
    const sample = samples.find(({ id }) => id === task);
    if (!sample)
      throw new Error(`there is no sample ${task}; known are ${samples.map(({ id }) => id).join(', ')}`);
    const table = await readTable({
      name: sample.file,
      data: await context.fetchBytes(`/samples/${sample.file}`),
    });
    const { examples } = makeExamples(table, sample.roles);
    const { train, test } = splitOrdered(examples, { dev: 0 });
    const labels = sample.labels.map(({ label }) => label);
    const verbalizers = makeVerbalizers(
      labels.map((label) => ({ label, words: [sample.verbalizers[label]] })),
      tokenizer,
      { appendEos: false },
    );
    const answers = planAnswers(verbalizers.map(({ ids }) => ids));
    const { ids } = await encodeExamples(
      examples.map(({ text }) => text),
      tokenizer,
      MAX_TOKENS,
    );
    const truth = examples.map(({ label }) => labels.indexOf(label));
    const prompt = { first: 0, count: LENGTH };
    const training = train.map((index) => ({ ids: ids[index], prompt, answers, target: truth[index] }));

    for (const seed of seeds) {
      const began = performance.now();
      const start = startPrompt(
        { kind: 'vocabulary', mostLikely: FREQUENT },
        LENGTH,
        seed,
        {
          embedding,
          width: model.info.width,
          byFrequency: Array.from({ length: FREQUENT }, (_, i) => i + 3),
          token: tokenizer.token,
          encode: tokenizer.encode,
        },
        [],
      );
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
        start.values,
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
      const source = { kind: 'values', length: LENGTH, values } as const;
      const scores = await scorer.score(test.map((index) => ({ ids: ids[index], prompt: source, answers })));
      const right = scores.filter((own, i) => own.indexOf(Math.max(...own)) === truth[test[i]]).length;
      const done = {
        task,
        model: modelName,
        seed,
        accuracy: right / test.length,
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
