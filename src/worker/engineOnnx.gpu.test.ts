import { expect, test } from 'vitest';
import { defaultRecipe, type Recipe } from '../tuning/index.ts';
import { createEngine } from './engine.ts';
import type { EngineName, RunEvent } from './protocol.ts';

const ignore = () => {};
const recipe: Recipe = { ...defaultRecipe, promptLength: 5, steps: 4, evalEvery: 2, batchSize: 8 };

/** A short run and an answer on one engine. */
async function learn(name: EngineName) {
  const engine = createEngine(new URL('/', location.href).href);
  const device = await engine.openDevice(name);
  await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
  await engine.openData({ kind: 'sample', id: 'fact-or-opinion' }, {}, ignore);
  const settings = await engine.suggestTask();
  const split = { kind: 'stratified', train: 0.94, dev: 0.03, test: 0.03, seed: 1 } as const;
  await engine.setTask({ ...settings, split }, ignore);
  const events: RunEvent[] = [];
  const { id } = await new Promise<{ id: string }>((resolve, reject) => {
    const started = engine.startRun(
      recipe,
      (event) => {
        events.push(event);
        if (event.type === 'finished') void started.then(resolve);
        if (event.type === 'failed') reject(event.error);
      },
      { paused: false },
    );
    started.catch(reject);
  });
  const ref = { kind: 'run', run: id, which: 'current' } as const;
  const [answer] = await engine.predict('The bridge is the finest in the land.', undefined, [ref], {
    generate: true,
  });
  const file = await engine.exportPrompt(ref, 'json');
  return {
    device,
    losses: events.flatMap((event) => (event.type === 'steps' ? event.records.map((r) => r.loss) : [])),
    evals: events.flatMap((event) => (event.type === 'eval' ? [event.record] : [])),
    answer,
    file,
  };
}

test('a run on ONNX Runtime is the run of the shaders', { timeout: 120_000 }, async () => {
  const shaders = await learn('webgpu');
  const processor = await learn('onnx');
  expect(processor.device).toMatchObject({ engine: 'onnx', vendor: 'ONNX Runtime' });
  expect(shaders.device.engine).toBe('webgpu');
  expect(processor.losses).toHaveLength(4);
  processor.losses.forEach((loss, i) => {
    expect(Math.abs(loss - shaders.losses[i]) / shaders.losses[i]).toBeLessThan(1e-3);
  });
  expect(processor.evals.map(({ step }) => step)).toEqual([2, 4]);
  expect(processor.answer.label).toBe(shaders.answer.label);
  expect(processor.answer.scores[0].probability).toBeCloseTo(shaders.answer.scores[0].probability, 2);
  expect(processor.file.name).toMatch(/-p5\.prelude\.json$/);
});
