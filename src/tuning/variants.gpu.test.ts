/**
 * The same step in every form the kernels have: as on a software adapter, as on a GPU, and with no more than WebGPU guarantees.
 * Loss, gradient and scores must not depend on it.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { createBuffers, createPipelines, type OpenOptions, openGpu } from '../gpu/index.ts';
import type { KernelTraits } from '../kernels/index.ts';
import { relativeError } from '../kernels/testing.ts';
import { type FrozenModel, makeModel, traitsOf, uploadFrozen } from '../models/index.ts';
import { bytesSource, openSafetensors, type WeightFile } from '../weights/index.ts';
import { type BatchExample, planAnswers } from './batch.ts';
import { createLearner } from './learner.ts';
import { adafactorDefaults } from './recipe.ts';
import { createScorer } from './scorer.ts';

const LENGTH = 7;
const examples: BatchExample[] = [3, 11, 1, 30, 8].map((length, i) => ({
  ids: [...Array.from({ length }, (_, j) => 10 + ((i * 97 + j * 31) % 900)), 1],
  prompt: { first: 0, count: LENGTH },
  answers: planAnswers([[20], [30, 31], [30, 32, 1]]),
  target: i % 3,
}));
const all = examples.map((_, i) => i);

let config: unknown;
let weights: WeightFile;

beforeAll(async () => {
  config = await (await fetch('/models/tiny/config.json')).json();
  const file = await (await fetch('/models/tiny/model.safetensors')).arrayBuffer();
  weights = await openSafetensors(bytesSource(new Uint8Array(file)));
});

async function measure(options: OpenOptions, traits?: KernelTraits, microBatch = examples.length) {
  const gpu = await openGpu(options);
  const session = {
    gpu,
    pipelines: createPipelines(gpu),
    buffers: createBuffers(gpu),
    persistent: new Map(),
  };
  const own = traits ?? traitsOf(gpu);
  const model: FrozenModel = makeModel(config, weights);
  await uploadFrozen(session, model, weights);
  const start = Float32Array.from({ length: LENGTH * model.info.width }, (_, i) => Math.sin(i * 12.9898));
  const settings = {
    length: LENGTH,
    loss: 'verbalizers',
    optimizer: adafactorDefaults,
    clipNorm: 0,
  } as const;
  const learner = await createLearner(session, own, model, settings, examples, start, microBatch);
  const { loss, scene, finite } = await learner.step(1, all, { scene: true });
  const gradient = await learner.readGradient();
  const { prompt } = await learner.readState();
  learner.destroy();
  const scorer = createScorer(session, own, model);
  const source = { kind: 'values', length: LENGTH, values: start } as const;
  const scores = await scorer.score(examples.map(({ ids, answers }) => ({ ids, answers, prompt: source })));
  gpu.close();
  return { loss, finite, gradient, prompt, scene, scores: scores.flatMap((s) => [...s]) };
}

describe('one step, whatever the device offers', () => {
  let plain: Awaited<ReturnType<typeof measure>>;
  beforeAll(async () => {
    plain = await measure({}, { rowLanes: 1 });
  });

  test('the plain form is finite and has a gradient', () => {
    expect(plain.finite).toBe(true);
    expect(Math.hypot(...plain.gradient)).toBeGreaterThan(1e-3);
    expect(plain.scene?.encoderGrad.every((norm) => norm > 0)).toBe(true);
  });

  test.each<[string, OpenOptions, KernelTraits | undefined, number]>([
    ['64 lanes a row, as on a GPU', {}, { rowLanes: 64 }, 5],
    [
      'the limits that WebGPU guarantees, no optional feature',
      { defaultLimits: true, without: ['subgroups', 'shader-f16', 'timestamp-query'] },
      undefined,
      5,
    ],
    [
      'a GPU with the guaranteed limits',
      { defaultLimits: true, without: ['subgroups', 'shader-f16', 'timestamp-query'] },
      { rowLanes: 64 },
      5,
    ],
    ['gathered over micro-batches of two', {}, { rowLanes: 1 }, 2],
  ])('%s', async (_, options, traits, microBatch) => {
    const other = await measure(options, traits, microBatch);
    expect(relativeError([other.loss], [plain.loss])).toBeLessThan(2e-6);
    expect(relativeError(other.gradient, plain.gradient)).toBeLessThan(2e-5);
    expect(relativeError(other.scores, plain.scores)).toBeLessThan(2e-6);
    // Adafactor's first update is nearly the gradient's sign, so entries near zero may turn.
    const apart = other.prompt.filter((value, i) => Math.abs(value - plain.prompt[i]) > 1e-3).length;
    expect(apart / plain.prompt.length).toBeLessThan(0.01);
  });

  test('the same device gives the same bits', async () => {
    const again = await measure({}, { rowLanes: 1 });
    expect(again.gradient).toEqual(plain.gradient);
    expect(again.prompt).toEqual(plain.prompt);
  });
});
