import type { OnProgress, Progress } from './protocol.ts';

/** Messages to the page at most this often, but for the first and the last. */
const EVERY_MS = 100;
/** Time constant of the smoothed rate. */
const SMOOTH_MS = 2000;
/** No time left is told before this: the first numbers say nothing. */
const WARM_UP_MS = 300;

/** Takes how much is done, of how much. */
export type Speedometer = (done: number, total: number) => void;

/**
 * Turns "so much of so much" into progress with a rate and the seconds left. The rate is an exponentially smoothed mean, so
 * that one slow block does not make the time left jump. `now` is in milliseconds; `from` was done before, and says nothing of
 * the speed.
 */
export function speedometer(
  what: string,
  unit: Progress['unit'],
  onProgress: OnProgress,
  now: () => number = () => performance.now(),
  from = 0,
): Speedometer {
  const start = now();
  let last = { at: start, done: from };
  let reported: number | undefined;
  let finished = false;
  /** Per millisecond. */
  let rate: number | undefined;
  return (done, total) => {
    const at = now();
    const due = reported === undefined || at - reported >= EVERY_MS;
    const complete = done >= total;
    if (!due && !(complete && !finished)) return;
    if (at > last.at && done > last.done) {
      const current = (done - last.done) / (at - last.at);
      // The mean since the start leads until it has run for a time constant.
      const weight = 1 - Math.exp(-(at - last.at) / Math.min(SMOOTH_MS, Math.max(1, at - start)));
      rate = rate === undefined ? current : rate + weight * (current - rate);
      last = { at, done };
    }
    reported = at;
    finished = complete;
    const progress: Progress = { what, done, total, unit };
    if (rate !== undefined && (at - start >= WARM_UP_MS || complete)) {
      progress.perSecond = rate * 1000;
      progress.secondsLeft = Math.max(0, total - done) / progress.perSecond;
    }
    onProgress(progress);
  };
}
