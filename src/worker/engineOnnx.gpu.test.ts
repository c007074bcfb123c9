import { expect, test } from 'vitest';
import { defaultRecipe, type Recipe } from '../tuning/index.ts';
import { createEngine } from './engine.ts';
import type { Engine, EngineName, RunEvent, RunSummary } from './protocol.ts';

const ignore = () => {};
const recipe: Recipe = { ...defaultRecipe, promptLength: 5, steps: 16, evalEvery: 8, batchSize: 8 };

/** An engine with the smallest model and a task of few dev rows. */
async function open(name: EngineName): Promise<Engine> {
  const engine = createEngine(new URL('/', location.href).href);
  await engine.openDevice(name);
  await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
  await engine.openData({ kind: 'sample', id: 'fact-or-opinion' }, {}, ignore);
  const settings = await engine.suggestTask();
  const split = { kind: 'stratified', train: 0.9, dev: 0.07, test: 0.03, seed: 1 } as const;
  await engine.setTask({ ...settings, split }, ignore);
  return engine;
}

/** Until a run has ended; its summary then. `onSteps` may stop it. */
async function toTheEnd(
  engine: Engine,
  begin: (onEvent: (event: RunEvent) => void) => Promise<RunSummary>,
  onSteps: (step: number) => void = ignore,
): Promise<RunSummary> {
  let end: (error?: unknown) => void = ignore;
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  const { id } = await begin((event) => {
    if (event.type === 'steps') onSteps(event.records.at(-1)!.step);
    if (event.type === 'finished') end();
    if (event.type === 'failed') end(event.error);
  });
  await ended;
  return (await engine.runs()).find((run) => run.id === id)!;
}

const losses = ({ steps }: RunSummary) => steps.map(({ loss }) => loss);
const expectSame = (a: readonly number[], b: readonly number[]) => {
  expect(a).toHaveLength(b.length);
  a.forEach((loss, i) => {
    expect(Math.abs(loss - b[i]) / b[i]).toBeLessThan(2e-3);
  });
};

test('the same recipe on both engines: the same losses, the same accuracy, the same answers', {
  timeout: 180_000,
}, async () => {
  const learned = async (name: EngineName) => {
    const engine = await open(name);
    const run = await toTheEnd(engine, (onEvent) => engine.startRun(recipe, onEvent, { paused: false }));
    const ref = { kind: 'run', run: run.id, which: 'current' } as const;
    const [answer] = await engine.predict('The bridge is the finest in the land.', undefined, [ref], {
      generate: true,
    });
    const test = await engine.evaluate(ref, 'test', { decoding: 'rank' }, ignore);
    return { run, answer, test, file: await engine.exportPrompt(ref, 'json') };
  };
  const shaders = await learned('webgpu');
  const processor = await learned('onnx');
  expect(losses(shaders.run)).toHaveLength(recipe.steps);
  expectSame(losses(processor.run), losses(shaders.run));
  expect(processor.run.evals.map(({ step }) => step)).toEqual([8, 16]);
  // One row of dev may fall the other way where both labels are equally likely.
  const row = 1 / 50;
  processor.run.evals.forEach(({ accuracy, loss }, i) => {
    expect(Math.abs(accuracy - shaders.run.evals[i].accuracy)).toBeLessThanOrEqual(row);
    expect(loss).toBeCloseTo(shaders.run.evals[i].loss, 2);
  });
  expect(Math.abs(processor.test.accuracy - shaders.test.accuracy)).toBeLessThanOrEqual(1 / shaders.test.n);
  expect(processor.answer.label).toBe(shaders.answer.label);
  expect(processor.answer.generated).toBe(shaders.answer.generated);
  expect(processor.answer.scores[0].probability).toBeCloseTo(shaders.answer.scores[0].probability, 2);
  expect(processor.file.name).toMatch(/-p5\.prelude\.json$/);
});

test.each([
  ['webgpu', 'onnx'],
  ['onnx', 'webgpu'],
] as const)(
  'a run that began on %s goes on from its checkpoint on %s',
  {
    timeout: 180_000,
  },
  async (first, second) => {
    const engine = await open(first);
    const start = (onEvent: (event: RunEvent) => void) => engine.startRun(recipe, onEvent, { paused: false });
    const whole = await toTheEnd(engine, start);
    const stopped = await toTheEnd(engine, start, (step) => void (step >= 4 && engine.stop()));
    expect(stopped.resumable).toBe(true);
    expect(stopped.step).toBeLessThan(recipe.steps);
    const device = await engine.openDevice(second);
    expect(device.engine).toBe(second);
    const resumed = await toTheEnd(engine, (onEvent) => engine.resumeRun(stopped.id, onEvent));
    expect(resumed).toMatchObject({ state: 'finished', step: recipe.steps });
    expectSame(losses(resumed), losses(whole));
  },
);
