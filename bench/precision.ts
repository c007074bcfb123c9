/**
 * What 8 and 4 bits cost in accuracy: the same task learned on the same model at each precision, from the same start, on the same
 * batches. `npx tsx bench/precisionMain.ts [--model small] [--task fact-or-opinion] [--steps 100] [--seeds 0,1]`. Runs on ONNX Runtime,
 * which sees the dequantised values and is faster than a software adapter.
 */
import { loadSampleIndex, makeExamples, readTable, splitOrdered } from '../src/data/index.ts';
import { makeModel, PRECISIONS, readFrozen } from '../src/models/index.ts';
import { loadRuntime } from '../src/onnx/index.ts';
import { encodeExamples, loadTokenizer, makeVerbalizers } from '../src/text/index.ts';
import {
  adafactorDefaults,
  createOnnxLearner,
  createOnnxScorer,
  createSampler,
  planAnswers,
  startPrompt,
} from '../src/tuning/index.ts';
import { bytesSource, openSafetensors } from '../src/weights/index.ts';
import type { GpuContext } from './harness/index.ts';

export interface PrecisionArgs {
  model: string;
  task: string;
  steps: number;
  seeds: number[];
}

const LENGTH = 20;
const BATCH = 16;
const MAX_TOKENS = 48;
const FREQUENT = 2997;

export default async function run(context: GpuContext): Promise<void> {
  const { model: modelName, task, steps, seeds } = context.args as PrecisionArgs;
  const json = async (path: string): Promise<unknown> =>
    JSON.parse(new TextDecoder().decode(await context.fetchBytes(path)));
  const ort = await loadRuntime({ wasm: await context.fetchBytes('/ort/ort-wasm-simd-threaded.wasm') });
  const tokenizer = loadTokenizer(await json('/models/tokenizer.json'));
  const weights = await openSafetensors(
    bytesSource(await context.fetchBytes(`/models/${modelName}/model.safetensors`)),
  );
  const config = await json(`/models/${modelName}/config.json`);
  const { samples } = await loadSampleIndex(() => json('/samples/index.json'));
  const sample = samples.find(({ id }) => id === task);
  if (!sample)
    throw new Error(`there is no sample ${task}; known are ${samples.map(({ id }) => id).join(', ')}`);
  const data = await context.fetchBytes(`/samples/${sample.file}`);
  const { examples } = makeExamples(await readTable({ name: sample.file, data }), sample.roles);
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

  for (const precision of PRECISIONS) {
    const model = makeModel(config, weights, { precision });
    const embedding = await readFrozen(weights, model.embedding);
    const scorer = await createOnnxScorer(ort, model, weights);
    const judge = async (values: Float32Array<ArrayBuffer>) => {
      const source = { kind: 'values', length: LENGTH, values } as const;
      const scores = await scorer.score(test.map((index) => ({ ids: ids[index], prompt: source, answers })));
      let loss = 0;
      let right = 0;
      for (const [i, own] of scores.entries()) {
        const most = Math.max(...own);
        loss +=
          most + Math.log(own.reduce((sum, score) => sum + Math.exp(score - most), 0)) - own[truth[test[i]]];
        if (own.indexOf(most) === truth[test[i]]) right++;
      }
      return `loss ${(loss / test.length).toFixed(4)} accuracy ${(right / test.length).toFixed(3)}`;
    };
    for (const seed of seeds) {
      const vocabulary = {
        embedding,
        width: model.info.width,
        byFrequency: Array.from({ length: FREQUENT }, (_, i) => i + 3),
        token: tokenizer.token,
        encode: tokenizer.encode,
      };
      const start = startPrompt({ kind: 'vocabulary', mostLikely: FREQUENT }, LENGTH, seed, vocabulary, []);
      const settings = {
        length: LENGTH,
        loss: 'verbalizers',
        optimizer: adafactorDefaults,
        clipNorm: 0,
      } as const;
      const before = await judge(start.values.slice());
      const learner = await createOnnxLearner(ort, model, weights, settings, training, start.values, BATCH);
      const sampler = createSampler(training.length, BATCH, seed);
      for (let step = 1; step <= steps; step++)
        await learner.step(step, sampler.batch(step), { scene: false });
      const { prompt: values } = await learner.readState();
      learner.destroy();
      context.send({
        line: `${modelName} ${task} ${precision.padEnd(6)} seed ${seed}: start ${before}, after ${steps} steps ${await judge(values)}`,
      });
    }
    scorer.destroy();
  }
}
