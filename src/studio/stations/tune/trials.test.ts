import { describe, expect, test } from 'vitest';
import { defaultRecipe } from '../../../tuning/recipe.ts';
import { createTrials, runSeconds, SWEEP } from '../../stores/trials.ts';
import { createStudio } from '../../studio.tsx';
import { createFakeEngine } from '../../testing/fakeEngine.ts';
import { endsAt } from './endsAt.ts';
import { decades, lossSpan } from './rateScale.ts';

async function studioWithTrials() {
  const engine = createFakeEngine({ stepsPerSecond: 10 });
  const studio = createStudio(engine);
  const trials = createTrials(engine, studio.session, studio.notices);
  await studio.session.getState().begin();
  return { studio, trials, engine };
}

describe('the probe', () => {
  test('holds for another number of steps, not for another length', async () => {
    const { trials } = await studioWithTrials();
    await trials.getState().measure(defaultRecipe);
    const probe = trials.probeFor({ ...defaultRecipe, steps: 1000 })!;
    expect(runSeconds(probe, { ...defaultRecipe, steps: 1000, evalEvery: 300 })).toBeCloseTo(100 + 4 * 0.5);
    expect(trials.probeFor({ ...defaultRecipe, promptLength: 5 })).toBeUndefined();
  });

  test('is forgotten with its model', async () => {
    const { trials, studio } = await studioWithTrials();
    await trials.getState().measure(defaultRecipe);
    await studio.session.getState().loadModel({ kind: 'builtin', id: 'tiny' });
    expect(trials.probeFor(defaultRecipe)).toBeUndefined();
  });

  test('that fails says so and can be asked for again', async () => {
    const { trials, studio, engine } = await studioWithTrials();
    engine.probeRun = () => Promise.reject({ code: 'out-of-memory', message: 'No room.', remedy: 'Less.' });
    await trials.getState().measure(defaultRecipe);
    expect(studio.notices.getState().errors.map(({ report }) => report.message)).toEqual(['No room.']);
    expect(trials.getState().probing).toBe(false);
  });
});

test('a sweep keeps its points as they come, and its suggestion', async () => {
  const { trials, studio } = await studioWithTrials();
  const seen: number[] = [];
  trials.subscribe(({ points }) => seen.push(points.length));
  await trials.getState().findRate(defaultRecipe);
  expect(trials.getState().points).toHaveLength(SWEEP.adafactor.steps);
  expect(Math.max(...seen)).toBe(SWEEP.adafactor.steps);
  expect(trials.getState().sweep?.suggested).toBe(1);
  await studio.session.getState().setTask(studio.session.getState().task!.settings);
  expect(trials.getState()).toMatchObject({ points: [], sweep: undefined });
});

test.each([
  [60, 'at 23:01'],
  [3600, 'tomorrow at 00:00'],
  [3 * 86_400, 'on 26 November'],
])('in %d seconds it ends %s', (seconds, words) => {
  expect(endsAt(seconds, new Date(2026, 10, 23, 23, 0, 0))).toBe(words);
});

test('the rate axis has a line at each power of ten', () => {
  expect(decades(1e-3, 30)).toEqual([0.001, 0.01, 0.1, 1, 10]);
  expect(decades(2, 5)).toEqual([]);
});

test('an explosion does not press the curve flat', () => {
  const [low, high] = lossSpan([
    { loss: 1 },
    { loss: 0.5 },
    { loss: 90 },
    { loss: Number.POSITIVE_INFINITY },
  ]);
  expect(low).toBeLessThan(0.5);
  expect(high).toBeCloseTo(1.5, 0);
  expect(lossSpan([])).toEqual([0, 1]);
});
