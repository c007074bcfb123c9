/** What the page notices about a run besides what the engine tells: a hidden tab, and an adapter in software. */
import type { Studio } from '../studio.tsx';
import { liveRun, type RunView } from './runs.ts';

/** Shorter absences slow nothing that matters. */
const AWAY_MS = 5000;
/** A run that is over sooner needs no advice about its adapter. */
const LONG_SECONDS = 60;

/** The page's visibility, as far as it is needed. */
export interface Visibility {
  hidden(): boolean;
  onChange(listener: () => void): () => void;
}

const pageVisibility = (): Visibility | undefined =>
  typeof document === 'undefined'
    ? undefined
    : {
        hidden: () => document.hidden,
        onChange: (listener) => {
          document.addEventListener('visibilitychange', listener);
          return () => document.removeEventListener('visibilitychange', listener);
        },
      };

/** @returns the way to stop watching */
export function watchRuns(
  { runs, session }: Pick<Studio, 'runs' | 'session'>,
  page = pageVisibility(),
  now: () => number = () => performance.now(),
): () => void {
  let away: { at: number; run: RunView } | undefined;
  const onVisibility = () => {
    const run = liveRun(runs.getState());
    if (page?.hidden()) {
      away = run?.state === 'running' ? { at: now(), run } : undefined;
      return;
    }
    const left = away;
    away = undefined;
    if (!left || run?.id !== left.run.id || now() - left.at < AWAY_MS) return;
    const seconds = (now() - left.at) / 1000;
    const speed = (run.step - left.run.step) / seconds;
    const before = left.run.speed?.stepsPerSecond ?? 0;
    if (before > 0 && speed > 0.7 * before) return;
    runs.getState().tell(run.id, {
      code: 'tab-hidden',
      message: `The tab was hidden for ${Math.round(seconds)} s; the run made ${run.step - left.run.step} steps meanwhile.`,
      remedy: 'Browsers slow hidden tabs down. Keep this tab in view, in a window of its own if need be.',
    });
  };
  const stops = [
    page?.onChange(onVisibility),
    runs.subscribe((state) => {
      const run = liveRun(state);
      const { device } = session.getState();
      if (!run?.speed || run.speed.secondsLeft < LONG_SECONDS) return;
      if (!device?.software || device.engine !== 'webgpu') return;
      if (run.notices.some(({ code }) => code === 'software-adapter')) return;
      runs.getState().tell(run.id, {
        code: 'software-adapter',
        message: 'The graphics adapter is software, so each step is slow.',
        remedy:
          'Use the smallest model, a shorter prompt or a smaller batch, or move to the processor on Model.',
      });
    }),
  ];
  return () => {
    for (const stop of stops) stop?.();
  };
}
