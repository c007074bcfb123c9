import { beforeAll, describe, expect, test } from 'vitest';
import { defaultRecipe, type Recipe } from '../tuning/index.ts';
import { createEngine } from './engine.ts';
import type { Engine, Progress, RatePoint } from './protocol.ts';

const ignore = () => {};
const recipe: Recipe = { ...defaultRecipe, promptLength: 5, steps: 60, evalEvery: 20, batchSize: 8 };

let engine: Engine;
/** Runs of other tests in this browser. */
let others: string[];
const runIds = async () => (await engine.runs()).map(({ id }) => id);

beforeAll(async () => {
  engine = createEngine(new URL('/', location.href).href);
  await engine.openDevice('webgpu');
  await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
  await engine.openData({ kind: 'sample', id: 'fact-or-opinion' }, {}, ignore);
  await engine.setTask(await engine.suggestTask(), ignore);
  others = await runIds();
}, 60_000);

describe('trials', () => {
  test('a probe times real steps and leaves no run', async () => {
    const seen: Progress[] = [];
    const probe = await engine.probeRun(recipe, (progress) => seen.push(progress));
    expect(probe.seconds.step).toBeGreaterThan(0);
    expect(probe.seconds.dev).toBeGreaterThan(0);
    expect(probe.run).toBeCloseTo(60 * probe.seconds.step + 3 * probe.seconds.dev, 6);
    expect(probe.tokensPerStep).toBeGreaterThan(8 * 5);
    expect(seen.some(({ what }) => what === 'Timing steps')).toBe(true);
    expect(await runIds()).toEqual(others);
  });

  test('a sweep raises the rate from point to point, on the same rows, with the same numbers each time', async () => {
    const points: RatePoint[] = [];
    const range = { from: 1e-3, to: 10, steps: 12 };
    const sweep = await engine.sweepRates(recipe, range, (point) => points.push(point));
    expect(points).toEqual(sweep.points);
    expect(points[0]!.rate).toBeCloseTo(1e-3);
    expect(sweep.smoothed).toHaveLength(points.length);
    // Adafactor's first steps with a thousandth barely move the prompt: the rate of the step was taken, not the recipe's 0.3.
    expect(Math.abs(points[1]!.loss - points[0]!.loss)).toBeLessThan(0.02);
    const again = await engine.sweepRates(recipe, range, ignore);
    expect(again.points).toEqual(sweep.points);
    expect(await runIds()).toEqual(others);
  });

  test('a stop gives back what was measured; a run ends a trial; a trial waits for no run', async () => {
    let points = 0;
    const stopped = await engine.sweepRates(recipe, { from: 1e-4, to: 1e-3, steps: 200 }, () => {
      points++;
      if (points === 3) void engine.stopTrial();
    });
    expect(stopped.ended).toBe('stopped');
    expect(stopped.points.length).toBeLessThan(10);

    const probing = engine.probeRun(recipe, ignore).catch((error) => error);
    const summary = await engine.startRun({ ...recipe, steps: 500 }, ignore, { paused: true });
    expect(await probing).toMatchObject({ code: 'cancelled' });
    await expect(engine.probeRun(recipe, ignore)).rejects.toMatchObject({ code: 'bad-recipe' });
    await engine.stop();
    await engine.deleteRun(summary.id);
  });
});

test('an evaluation that is stopped ends within a batch; the same one can be asked again', async () => {
  const prompt = { kind: 'none' } as const;
  let told = 0;
  const stopped = engine.evaluate(prompt, 'test', { decoding: 'rank' }, ({ done }) => {
    told = Math.max(told, done);
    if (done > 0) void engine.stopEvaluation(prompt, 'test');
  });
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  const whole = await engine.evaluate(prompt, 'test', { decoding: 'rank' }, ignore);
  expect(whole.n).toBe(120);
  expect(told).toBeLessThan(whole.n);
  // Another prompt's evaluation is not meant.
  const other = engine.evaluate({ kind: 'written' }, 'test', { decoding: 'rank' }, () => {
    void engine.stopEvaluation(prompt, 'test');
  });
  expect((await other).n).toBe(120);
});
