/** The runs as the page draws them: one picture for all panels, so that the buttons never speak of another step than the figures. */
import { createStore } from 'zustand/vanilla';
import type { Runs, RunsState } from './runs.ts';

/** What follows a run is drawn at most this often. */
export const LIVE_MS = 100;

/** What a person waits for: a start, a pause, an end, another run, a press in the list; not the mere progress of a run. */
function sameTurn(now: RunsState, before: RunsState): boolean {
  if (now.currentId !== before.currentId || now.starting !== before.starting) return false;
  if (now.runs === before.runs) return true;
  const marks = ['id', 'state', 'name', 'hidden', 'pinned'] as const;
  return (
    now.runs.length === before.runs.length &&
    now.runs.every((run, i) => marks.every((mark) => run[mark] === before.runs[i]![mark]))
  );
}

/**
 * Follows `runs`: steps at most ten times a second and only when the browser draws, since a run sends more than an eye can take;
 * what a person waits for at once.
 */
export function createLive(runs: Runs) {
  const store = createStore<RunsState>()(() => runs.getState());
  let timer: ReturnType<typeof setTimeout> | undefined;
  let frame = 0;
  let last = Number.NEGATIVE_INFINITY;
  const show = () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    timer = undefined;
    frame = 0;
    last = performance.now();
    store.setState(runs.getState(), true);
  };
  runs.subscribe((now, before) => {
    if (!sameTurn(now, before)) return show();
    if (frame || timer) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        frame = requestAnimationFrame(show);
      },
      Math.max(0, last + LIVE_MS - performance.now()),
    );
  });
  return store;
}
