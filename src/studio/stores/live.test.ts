import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaultRecipe } from '../../tuning/recipe.ts';
import { createStudio } from '../studio.tsx';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { createLive, LIVE_MS } from './live.ts';
import { currentRun } from './runs.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => setTimeout(draw, 16));
  vi.stubGlobal('cancelAnimationFrame', clearTimeout);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('steps are drawn ten times a second at most; a pause at once, with the step it stands at', async () => {
  const { session, runs } = createStudio(createFakeEngine({ stepsPerSecond: 100 }));
  await session.getState().begin();
  await vi.advanceTimersByTimeAsync(2000);
  const live = createLive(runs);
  const drawn = vi.fn();
  live.subscribe(drawn);
  await runs.getState().start({ ...defaultRecipe, steps: 5000 });
  expect(currentRun(live.getState())?.state).toBe('running');

  drawn.mockClear();
  await vi.advanceTimersByTimeAsync(2000);
  expect(drawn.mock.calls.length).toBeGreaterThan(5);
  expect(drawn.mock.calls.length).toBeLessThanOrEqual(2000 / LIVE_MS);

  // Between two pictures: neither the button nor the figures may be those of another moment.
  await vi.advanceTimersByTimeAsync(LIVE_MS / 3);
  await runs.getState().pause();
  expect(currentRun(live.getState())).toBe(currentRun(runs.getState()));
  expect(currentRun(live.getState())).toMatchObject({ state: 'paused' });
  await runs.getState().step();
  await vi.advanceTimersByTimeAsync(2 * LIVE_MS);
  expect(currentRun(live.getState())!.step).toBe(currentRun(runs.getState())!.step);
});
