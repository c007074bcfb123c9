import { useEffect, useMemo } from 'react';
import { keyIsTaken } from '../../shell/keys.ts';
import { currentRun, isLive, liveRun, type RunsState } from '../../stores/runs.ts';
import { type Studio, useLive, useSession, useStudio } from '../../studio.tsx';

const liveState = (s: RunsState) => (s.starting ? 'starting' : liveRun(s)?.state);

/** What the transport's buttons and keys do. */
export function useTrain() {
  const studio = useStudio();
  const state = useLive(liveState);
  const trainable = useSession(
    (s) => s.task !== undefined && (s.phase === 'ready' || s.phase === 'baselines'),
  );
  const actions = useMemo(() => trainActions(studio), [studio]);
  return { ...actions, state, canTrain: (trainable || state !== undefined) && state !== 'starting' };
}

function trainActions({ runs, recipe }: Pick<Studio, 'runs' | 'recipe'>) {
  const live = () => {
    const run = currentRun(runs.getState());
    return run && isLive(run.state) ? run : undefined;
  };
  return {
    /** Train, Pause, Go on. */
    toggle() {
      const { start, pause, resume } = runs.getState();
      const run = live();
      if (!run) return void start(recipe.getState().recipe);
      return void (run.state === 'paused' ? resume() : pause());
    },
    /** One step, then paused; begins a paused run where there is none. */
    async step() {
      const { start, step } = runs.getState();
      if (!live()) await start(recipe.getState().recipe, { paused: true });
      if (live()) await step();
    },
    stop: () => void runs.getState().stop(),
  };
}

/** Space or `t` trains and pauses, `s` makes one step, wherever the focus is but in a field. */
export function useTrainKeys() {
  const { toggle, step, canTrain } = useTrain();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!canTrain || event.repeat || keyIsTaken(event)) return;
      const onControl = (event.target as HTMLElement).closest(
        'button, a, summary, [role="slider"], [role="tab"]',
      );
      if (event.key === 't' || (event.key === ' ' && !onControl)) {
        event.preventDefault();
        toggle();
      } else if (event.key === 's') {
        event.preventDefault();
        void step();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [toggle, step, canTrain]);
}
