import { useEffect, useState } from 'react';
import type { RunView } from '../../stores/runs.ts';

export const BEATS = ['forward', 'loss', 'backward', 'update'] as const;
export type Beat = (typeof BEATS)[number];

const BEAT_MS = 550;

/** After a single step: the beat that is shown now; none while a run goes, and none for who wants less motion. */
export function useBeats(run: RunView | undefined): Beat | undefined {
  const [beat, setBeat] = useState<number>();
  const step = run?.state === 'paused' ? run.step : undefined;
  useEffect(() => {
    if (!step || window.matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    setBeat(0);
    const timer = setInterval(() => setBeat((now) => (now ?? 0) + 1), BEAT_MS);
    const end = setTimeout(() => clearInterval(timer), BEAT_MS * BEATS.length);
    return () => {
      clearInterval(timer);
      clearTimeout(end);
      setBeat(undefined);
    };
  }, [step]);
  return beat === undefined ? undefined : BEATS[beat];
}
