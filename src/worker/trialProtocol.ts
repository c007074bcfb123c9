/** The part of the protocol that is about trials: a few steps before a run, of which nothing stays. `protocol.ts` is the door. */
import type { Recipe } from '../tuning/index.ts';
import type { OnProgress } from './protocol.ts';

/** What a few real steps took. */
export interface ProbeReport {
  /** Seconds: a step (median of `steps`), and reading the dev rows once; `dev` is 0 where there are none. */
  seconds: { step: number; dev: number; compile: number };
  /** Steps that were timed, after one that was not. */
  steps: number;
  tokensPerStep: number;
  /** Whole run of this recipe: steps and the readings of dev between them. Seconds. */
  run: number;
  /** Bytes on the device while the steps went. */
  bytes: number;
}

/** One point of a sweep of learning rates. */
export interface RatePoint {
  rate: number;
  /** On the same rows, after the update that was made with this rate. */
  loss: number;
}

export interface RateSweep {
  points: RatePoint[];
  /** Smoothed loss, one for each point whose loss is finite. */
  smoothed: number[];
  /** A third of `edge`, or the lowest point where there is none; undefined where the loss does not fall. */
  suggested?: number;
  /** The rate at which the loss leaps. */
  edge?: number;
  ended: 'done' | 'diverged' | 'stopped';
}

export interface Trials {
  /**
   * Times a few real steps of this recipe on a prompt of its own, which is thrown away. Rejects `bad-recipe` while a run goes,
   * `cancelled` when `stopTrial` was called.
   */
  probeRun(recipe: Recipe, onProgress: OnProgress): Promise<ProbeReport>;
  /**
   * The learning-rate range test: steps on one batch whose rate grows exponentially, from a fresh prompt that is thrown away.
   * Ends by itself where the loss explodes; what was measured before a stop is given back.
   */
  sweepRates(
    recipe: Recipe,
    range: { from: number; to: number; steps: number },
    onPoint: (point: RatePoint) => void,
  ): Promise<RateSweep>;
  /** Ends the trial that goes on, and resolves when nothing of it is left. */
  stopTrial(): Promise<void>;
}
