import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultRecipe } from '../../tuning/recipe.ts';
import { createStudio, type Studio } from '../studio.tsx';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { liveRun } from './runs.ts';
import { watchRuns } from './selfWatch.ts';

let studio: Studio;
let hidden = false;
let listener = () => {};
const setHidden = (value: boolean) => {
  hidden = value;
  listener();
};

beforeEach(async () => {
  vi.useFakeTimers();
  studio = createStudio(createFakeEngine({ stepsPerSecond: 10 }));
  await studio.session.getState().begin();
  await vi.advanceTimersByTimeAsync(1000);
  watchRuns(
    studio,
    {
      hidden: () => hidden,
      onChange: (next) => {
        listener = next;
        return () => {};
      },
    },
    () => Date.now(),
  );
});
afterEach(() => {
  vi.useRealTimers();
});
const codes = () => liveRun(studio.runs.getState())!.notices.map(({ code }) => code);

describe('a hidden tab', () => {
  test('is told when it slowed the run down', async () => {
    await studio.runs.getState().start({ ...defaultRecipe, steps: 5000 });
    await vi.advanceTimersByTimeAsync(1000);
    setHidden(true);
    await studio.runs.getState().pause();
    await vi.advanceTimersByTimeAsync(20_000);
    setHidden(false);
    expect(codes()).toContain('tab-hidden');
  });

  test('is not worth a word where the run went on as before, or the absence was short', async () => {
    await studio.runs.getState().start({ ...defaultRecipe, steps: 5000 });
    await vi.advanceTimersByTimeAsync(1000);
    for (const away of [20_000, 2000]) {
      setHidden(true);
      await vi.advanceTimersByTimeAsync(away);
      setHidden(false);
    }
    expect(codes()).not.toContain('tab-hidden');
  });
});

test('a software adapter is named once, where the run is long', async () => {
  const device = { ...studio.session.getState().device!, software: true };
  studio.session.setState({ device });
  await studio.runs.getState().start({ ...defaultRecipe, steps: 5000 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(codes()).toEqual(['software-adapter']);
  await studio.runs.getState().stop();
  await studio.runs.getState().start({ ...defaultRecipe, steps: 100 });
  await vi.advanceTimersByTimeAsync(500);
  expect(codes()).toEqual([]);
});
