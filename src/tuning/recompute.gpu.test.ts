/** Layers run again on the way back: the same bits for less memory; and what is predicted of memory is what is taken. */
import { beforeAll, describe, expect, test } from 'vitest';
import { openGpu } from '../gpu/index.ts';
import { createSession } from '../graph/index.ts';
import { type FrozenModel, makeModel, traitsOf, uploadFrozen } from '../models/index.ts';
import { bytesSource, openSafetensors, type WeightFile } from '../weights/index.ts';
import { type BatchExample, planAnswers } from './batch.ts';
import { createLearner } from './learner.ts';
import { predictMemory } from './memory.ts';
import { adafactorDefaults } from './recipe.ts';
import { createScorer } from './scorer.ts';

const LENGTH = 6;
const examples: BatchExample[] = Array.from({ length: 12 }, (_, i) => ({
  ids: Array.from({ length: 20 + (i % 5) }, (_, j) => 10 + ((i * 97 + j * 31) % 80)),
  prompt: { first: 0, count: LENGTH },
  answers: planAnswers([[20], [30, 31]]),
  target: i % 2,
}));
const all = examples.map((_, i) => i);

interface Files {
  config: unknown;
  weights: WeightFile;
}
const decoder = {
  config: new URL('../models/testdata/models/gemma3/config.json', import.meta.url).href,
  weights: new URL('../models/testdata/models/gemma3/model.safetensors', import.meta.url).href,
};
async function open(urls: { config: string; weights: string }): Promise<Files> {
  const config = await (await fetch(urls.config)).json();
  const file = await (await fetch(urls.weights)).arrayBuffer();
  return { config, weights: await openSafetensors(bytesSource(new Uint8Array(file))) };
}

async function run({ config, weights }: Files, recompute: number) {
  const gpu = await openGpu();
  const session = createSession(gpu);
  const traits = traitsOf(gpu);
  const model: FrozenModel = makeModel(config, weights);
  await uploadFrozen(session, model, weights);
  const start = Float32Array.from({ length: LENGTH * model.info.width }, (_, i) => Math.sin(i * 12.9898));
  const settings = {
    length: LENGTH,
    loss: 'verbalizers',
    optimizer: adafactorDefaults,
    clipNorm: 0,
    recompute,
  } as const;
  const predicted = predictMemory(traits, model, settings, examples, { dev: examples })(examples.length);
  const learner = await createLearner(session, traits, model, settings, examples, start, examples.length);
  const { loss, scene } = await learner.step(1, all, { scene: true });
  const gradient = await learner.readGradient();
  const second = await learner.step(2, all, { scene: false });
  const prompt = { kind: 'values', length: LENGTH, values: start } as const;
  const scorer = createScorer(session, traits, model);
  await scorer.score(examples.map(({ ids, answers }) => ({ ids, answers, prompt })));
  const measured = session.buffers.peakBytes;
  gpu.close();
  return { loss, second: second.loss, scene, gradient, predicted, measured };
}

describe.each([
  ['an encoder-decoder', { config: '/models/tiny/config.json', weights: '/models/tiny/model.safetensors' }],
  ['a decoder with a shared prompt', decoder],
])('%s', (_, urls) => {
  let files: Files;
  let plain: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    files = await open(urls);
    plain = await run(files, 0);
  });

  test.each([1, 2, 99])('%i layers run again give the same bits', async (layers) => {
    const again = await run(files, layers);
    expect(again.loss).toBe(plain.loss);
    expect(again.gradient).toEqual(plain.gradient);
    expect(again.second).toBe(plain.second);
    expect(again.scene).toEqual(plain.scene);
    expect(again.predicted.activations).toBeLessThan(plain.predicted.activations);
    expect(again.predicted.flops).toBeGreaterThan(plain.predicted.flops);
    expect(Math.abs(again.predicted.total / again.measured - 1)).toBeLessThan(0.02);
  });

  test('the peak is as predicted', () => {
    expect(Math.abs(plain.predicted.total / plain.measured - 1)).toBeLessThan(0.02);
  });
});
