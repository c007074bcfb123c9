/**
 * The same step in every form the kernels have: as on a software adapter, as on a GPU, with no more than WebGPU guarantees, and with
 * weights in pieces and in blocks.
 * Loss, gradient and scores must not depend on it.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Gpu, type OpenOptions, openGpu } from '../gpu/index.ts';
import { createSession } from '../graph/index.ts';
import type { KernelTraits } from '../kernels/index.ts';
import { relativeError } from '../kernels/testing.ts';
import {
  type FrozenModel,
  type ModelOptions,
  makeModel,
  readFrozen,
  traitsOf,
  uploadFrozen,
} from '../models/index.ts';
import { bytesSource, countOf, openSafetensors, type WeightFile } from '../weights/index.ts';
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

interface Form {
  options?: OpenOptions;
  traits?: KernelTraits;
  microBatch?: number;
  model?: ModelOptions;
  /** What is read in place of the checkpoint. */
  from?: WeightFile;
  /** No buffer may be larger. */
  bufferBytes?: number;
}

async function measure({
  options,
  traits,
  microBatch = examples.length,
  model: modelOptions,
  from = weights,
  bufferBytes,
}: Form = {}) {
  const opened = await openGpu(options);
  // A device cannot be asked for less than WebGPU guarantees; what the engine reads of it can say so.
  const limits = new Proxy(opened.limits, {
    get: (real, key) =>
      key === 'maxStorageBufferBindingSize' && bufferBytes ? bufferBytes : Reflect.get(real, key, real),
  });
  const gpu: Gpu = { ...opened, limits };
  const session = createSession(gpu);
  const own = traits ?? traitsOf(gpu);
  const model: FrozenModel = makeModel(config, from, modelOptions);
  await uploadFrozen(session, model, from);
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

/** The checkpoint as a model reads it, each tensor in f32: what a quantised form stands for. */
async function asRead(options: ModelOptions): Promise<WeightFile> {
  const model = makeModel(config, weights, options);
  const read = new Map<string, Uint8Array>();
  for (const frozen of model.frozen)
    if (frozen.kind === 'matrix') {
      const values = await readFrozen(weights, frozen);
      let at = 0;
      for (const part of frozen.parts) {
        const count = countOf(weights.tensors.get(part)!.shape);
        read.set(part, new Uint8Array(values.slice(at, at + count).buffer));
        at += count;
      }
    }
  const tensors = new Map(
    [...weights.tensors].map(([name, info]) => [
      name,
      read.has(name) ? { ...info, dtype: 'F32' as const, byteLength: read.get(name)!.byteLength } : info,
    ]),
  );
  return {
    ...weights,
    tensors,
    read: async (name) => read.get(name) ?? weights.read(name),
    readPart: undefined,
  };
}

const guaranteed: OpenOptions = {
  defaultLimits: true,
  without: ['subgroups', 'shader-f16', 'timestamp-query'],
};

describe('one step, whatever the device offers', () => {
  let plain: Awaited<ReturnType<typeof measure>>;
  beforeAll(async () => {
    plain = await measure({ traits: { rowLanes: 1 } });
  }, 60_000);

  const expectSame = (other: typeof plain, as = plain) => {
    expect(relativeError([other.loss], [as.loss])).toBeLessThan(2e-6);
    expect(relativeError(other.gradient, as.gradient)).toBeLessThan(2e-5);
    expect(relativeError(other.scores, as.scores)).toBeLessThan(2e-6);
    // Adafactor's first update is nearly the gradient's sign, so entries near zero may turn.
    const apart = other.prompt.filter((value, i) => Math.abs(value - as.prompt[i]) > 1e-3).length;
    expect(apart / as.prompt.length).toBeLessThan(0.01);
  };

  test('the plain form is finite and has a gradient', () => {
    expect(plain.finite).toBe(true);
    expect(Math.hypot(...plain.gradient)).toBeGreaterThan(1e-3);
    expect(plain.scene?.encoderGrad.every((norm) => norm > 0)).toBe(true);
  });

  test.each<[string, Form]>([
    ['64 lanes a row, as on a GPU', { traits: { rowLanes: 64 } }],
    ['the limits that WebGPU guarantees, no optional feature', { options: guaranteed }],
    ['a GPU with the guaranteed limits', { options: guaranteed, traits: { rowLanes: 64 } }],
    ['gathered over micro-batches of two', { traits: { rowLanes: 1 }, microBatch: 2 }],
    [
      'a token table larger than a buffer may be',
      { bufferBytes: 1_000_000, model: { bindingBytes: 1_000_000 }, microBatch: 2 },
    ],
    ['every matrix in pieces', { model: { bindingBytes: 6_000 } }],
  ])('%s', async (_, form) => expectSame(await measure(form)));

  test('without its pieces that table is refused', async () => {
    await expect(measure({ bufferBytes: 1_000_000 })).rejects.toThrow(
      /shared needs 1048576 bytes in one buffer/,
    );
  });

  test('halves are read natively where the adapter has shader-f16', async () => {
    const { features, close } = await openGpu();
    close();
    if (features.shaderF16) expectSame(await measure({ traits: { rowLanes: 1, shaderF16: true } }));
  });

  test.each(['q8_0', 'q4_0'] as const)(
    'in %s: what the dequantised weights give',
    async (precision) => {
      const quantised = await measure({ model: { precision } });
      expectSame(quantised, await measure({ from: await asRead({ precision }) }));
      expect(relativeError([quantised.loss], [plain.loss])).toBeGreaterThan(1e-5);
      // Two steps, with shaders of their own.
    },
    120_000,
  );

  test('the same device gives the same bits', async () => {
    const again = await measure({ traits: { rowLanes: 1 } });
    expect(again.gradient).toEqual(plain.gradient);
    expect(again.prompt).toEqual(plain.prompt);
  });
});
