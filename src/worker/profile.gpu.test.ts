import { beforeAll, describe, expect, test } from 'vitest';
import { defaultRecipe, type Recipe } from '../tuning/index.ts';
import { createEngine } from './engine.ts';
import type { Engine, StepProfile } from './protocol.ts';

const ignore = () => {};
const recipe: Recipe = { ...defaultRecipe, promptLength: 5, steps: 2, evalEvery: 2, batchSize: 4 };

let engine: Engine;
let profile: StepProfile;

beforeAll(async () => {
  engine = createEngine(new URL('/', location.href).href);
  await engine.openDevice('webgpu');
  await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
  await engine.openData({ kind: 'sample', id: 'fact-or-opinion' }, {}, ignore);
  const settings = await engine.suggestTask();
  await engine.setTask(
    { ...settings, split: { kind: 'stratified', train: 0.9, dev: 0.05, test: 0.05, seed: 1 } },
    ignore,
  );
  profile = await engine.profileStep(recipe);
}, 120_000);

describe('the profile of a step', () => {
  test('names every dispatch in order, with its part and its layer', () => {
    const { dispatches } = profile;
    const parts = dispatches.map(({ part }) => part);
    expect(parts).toEqual([...parts].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
    for (const stack of ['encoder', 'decoder'] as const)
      for (const part of ['forward', 'backward'] as const) {
        const own = dispatches.filter((d) => d.layer?.stack === stack && d.part === part);
        expect(new Set(own.map(({ layer }) => layer?.index)).has(0)).toBe(true);
        expect(own.some(({ kernel }) => kernel.startsWith('matmul/'))).toBe(true);
        expect(own.some(({ kernel }) => kernel.startsWith('attention/'))).toBe(true);
      }
    const [embed] = dispatches;
    expect(embed).toMatchObject({ kernel: 'embed/forward', node: 'encoder.embed', part: 'forward' });
    expect(dispatches.at(-1)?.part).toBe('update');
  });
  const order = ['forward', 'backward', 'update'];

  test('has times, counts and shapes', () => {
    const { dispatches, batch, ceiling, stepMs } = profile;
    expect(batch).toMatchObject({ examples: 4, timed: 4 });
    expect(ceiling.gflops).toBeGreaterThan(0.1);
    expect(ceiling.gbytesPerSecond).toBeGreaterThan(0.1);
    expect(stepMs).toBeGreaterThan(0);
    expect(profile.busyUs).toBeGreaterThan(0);
    dispatches.reduce((before, { startUs }) => {
      expect(startUs).toBeGreaterThanOrEqual(before);
      return startUs;
    }, 0);
    const product = dispatches.find(({ kernel }) => kernel === 'matmul/nt')!;
    const [left, weight, out] = product.tensors;
    expect(left!.shape).toEqual([batch.sizes.T, weight!.shape[1]]);
    expect(out).toMatchObject({ written: true, shape: [batch.sizes.T, weight!.shape[0]] });
    expect(product.flops).toBe(2 * left!.shape[0] * weight!.shape[0] * weight!.shape[1]);
    // T5's attention counts the pairs of rows that see each other.
    const attention = dispatches.find(({ node }) => node === 'encoder.0.attention')!;
    const mixed = attention.tensors.find(({ name }) => name === 'encoder.0.attention')!;
    expect(attention.flops).toBe(4 * batch.sizes.encoderPairs! * mixed.shape[1]);
  });

  test('has each shader once', () => {
    const { sources, dispatches } = profile;
    expect(new Set(sources.map(({ code }) => code)).size).toBe(sources.length);
    for (const { source, kernel } of dispatches) {
      expect(sources[source]?.kernels).toContain(kernel);
      expect(sources[source]?.code).toContain('fn main');
    }
  });

  test('leaves a run as it would have been, and is refused while one goes', async () => {
    let end = ignore;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    await engine.startRun(recipe, ({ type }) => type === 'finished' && end(), { paused: false });
    await expect(engine.profileStep(recipe)).rejects.toMatchObject({ code: 'bad-recipe' });
    await ended;
  });
});
