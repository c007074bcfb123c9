import type { StepReport } from '../tuning/index.ts';
import type { RunEvent, StepRecord } from './protocol.ts';

/** Messages to the page at most this often. */
const EVERY_MS = 100;
/** The speed told is that of the last seconds. */
const WINDOW_MS = 5000;

/**
 * Gathers a run's steps into messages that come at most ten times a second, with the speed of the last seconds.
 * `gpuBytes` is asked when a message goes out.
 */
export interface StepFeed {
  step(step: number, report: StepReport): void;
  /** Whether a scene is due: asked before a step, at most ten are granted a second. */
  wantsScene(): boolean;
  flush(): void;
}

export function createStepFeed(
  send: (event: RunEvent) => void,
  options: { steps: number; gpuBytes(): number; now?(): number },
): StepFeed {
  const now = options.now ?? (() => performance.now());
  let waiting: StepRecord[] = [];
  let sentAt = Number.NEGATIVE_INFINITY;
  let sceneAt = Number.NEGATIVE_INFINITY;
  let recent: { at: number; tokens: number }[] = [];

  const flush = () => {
    if (waiting.length === 0) return;
    const at = now();
    sentAt = at;
    recent = recent.filter((one, i) => at - one.at < WINDOW_MS || i >= recent.length - 2);
    const spent = recent.length > 1 ? (recent[recent.length - 1].at - recent[0].at) / 1000 : 0;
    // The first of them only starts the clock.
    const stepsPerSecond = spent > 0 ? (recent.length - 1) / spent : 0;
    const tokens = recent.slice(1).reduce((sum, one) => sum + one.tokens, 0);
    const left = options.steps - waiting[waiting.length - 1].step;
    send({
      type: 'steps',
      records: waiting,
      stepsPerSecond,
      tokensPerSecond: spent > 0 ? tokens / spent : 0,
      secondsLeft: stepsPerSecond > 0 ? left / stepsPerSecond : 0,
      gpuBytes: options.gpuBytes(),
    });
    waiting = [];
  };

  return {
    step(step, { loss, gradNorm, tokens, scene }) {
      waiting.push({ step, loss, gradNorm });
      recent.push({ at: now(), tokens });
      if (scene) send({ type: 'scene', frame: { step, ...scene } });
      if (now() - sentAt >= EVERY_MS) flush();
    },
    wantsScene() {
      if (now() - sceneAt < EVERY_MS) return false;
      sceneAt = now();
      return true;
    },
    flush,
  };
}
