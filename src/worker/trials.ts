/** Trials before a run: how long a step takes, and which learning rate suits. Nothing of them stays. */
import { PreludeError } from '../errors.ts';
import {
  hasDiverged,
  parseRecipe,
  planAnswers,
  type RatePoint,
  type Recipe,
  rateRamp,
  suggestRate,
} from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import type { LiveLearner } from './place.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { Progress } from './protocol.ts';
import { devSample, withTrialLearner } from './runPlan.ts';
import type { Trials } from './trialProtocol.ts';

/** Steps that are timed; a step as long as this ends the timing sooner. */
const TIMED_STEPS = 5;
const LONG_ENOUGH_MS = 4000;
/** Dev rows whose reading is timed, to tell of all. */
const TIMED_ROWS = 32;

interface Trial {
  stopped: boolean;
  ended: Promise<unknown>;
}

interface TrialParts {
  learner: LiveLearner;
  recipe: Recipe;
  /** Training examples of a step. */
  batch(step: number): number[];
}

export function createTrialDesk(
  device: DeviceDesk,
  task: () => PreparedTask,
  runGoes: () => boolean,
): Trials {
  let current: Trial | undefined;

  const stopTrial = async () => {
    const going = current;
    if (!going) return;
    going.stopped = true;
    await going.ended;
  };

  /** A learner of its own for as long as `work` lasts; a trial that goes on already ends first. */
  const withLearner = async <T>(
    given: Recipe,
    onProgress: (progress: Progress) => void,
    work: (parts: TrialParts, stopped: () => boolean) => Promise<T>,
  ): Promise<T> => {
    if (runGoes())
      throw new PreludeError('bad-recipe', 'A run is going.', {
        remedy: 'Stop it, or wait until it has finished.',
      });
    const recipe = parseRecipe(given);
    const before = stopTrial();
    // Known from this moment on, so that a run that is started meanwhile ends it.
    const trial: Trial = { stopped: false, ended: Promise.resolve() };
    current = trial;
    const measure = async (): Promise<T> => {
      if (trial.stopped) throw cancelled();
      return withTrialLearner(recipe, device, task(), onProgress, (learner, batch) =>
        work({ learner, recipe, batch }, () => trial.stopped),
      );
    };
    const going = (async () => {
      await before;
      return device.withModel(measure);
    })();
    trial.ended = going.catch(() => undefined);
    try {
      return await going;
    } finally {
      if (current === trial) current = undefined;
    }
  };

  /** Seconds to read all dev rows that a run reads, told from a few. */
  const timeDev = async (learner: LiveLearner, recipe: Recipe): Promise<number> => {
    const { scorer } = device.need();
    const prepared = task();
    const dev = devSample(prepared.dev, recipe.seed);
    if (dev.length === 0) return 0;
    const answers = planAnswers(prepared.verbalizers.map(({ ids }) => ids));
    const some = dev.slice(0, TIMED_ROWS).map((index) => ({
      ids: prepared.examples[index].ids,
      prompt: learner.source,
      answers,
    }));
    // Once for what is compiled on first use.
    await scorer.score(some.slice(0, 1));
    const began = performance.now();
    await scorer.score(some);
    return ((performance.now() - began) / 1000 / some.length) * dev.length;
  };

  return {
    stopTrial,

    probeRun: (given, onProgress) => {
      const began = performance.now();
      return withLearner(given, onProgress, async ({ learner, recipe, batch }, stopped) => {
        const compile = (performance.now() - began) / 1000;
        const times: number[] = [];
        let tokens = 0;
        for (let step = 1; step <= TIMED_STEPS + 1; step++) {
          if (stopped()) throw cancelled();
          onProgress({ what: 'Timing steps', done: step - 1, total: TIMED_STEPS + 1, unit: 'steps' });
          const stepBegan = performance.now();
          tokens = (await learner.step(step, batch(step), { scene: false })).tokens;
          const time = performance.now() - stepBegan;
          // The first step still waits for what a driver does on first use.
          if (step > 1) times.push(time);
          if (time > LONG_ENOUGH_MS && times.length > 0) break;
        }
        if (stopped()) throw cancelled();
        const dev = await timeDev(learner, recipe);
        const step = median(times) / 1000;
        return {
          seconds: { step, dev, compile },
          steps: times.length,
          tokensPerStep: tokens,
          run: recipe.steps * step + Math.ceil(recipe.steps / recipe.evalEvery) * dev,
          bytes: device.place().liveBytes(),
        };
      });
    },

    sweepRates: (given, { from, to, steps }, onPoint) =>
      withLearner(
        given,
        () => undefined,
        async ({ learner, batch }, stopped) => {
          // One batch for all: from point to point only the rate changes.
          const rows = batch(1);
          const rates = rateRamp(from, to, steps);
          const points: RatePoint[] = [];
          for (let i = 0; i <= steps && !stopped(); i++) {
            const learningRate = rates[Math.min(i, steps - 1)];
            const { loss, finite } = await learner.step(i + 1, rows, { scene: false, learningRate });
            if (i === 0) continue;
            const point = { rate: rates[i - 1], loss: finite ? loss : Number.POSITIVE_INFINITY };
            points.push(point);
            onPoint(point);
            if (hasDiverged(points)) break;
          }
          const { rate, edge, smoothed } = suggestRate(points);
          const diverged = hasDiverged(points);
          return {
            points,
            smoothed,
            suggested: rate,
            edge,
            ended: diverged ? ('diverged' as const) : stopped() ? ('stopped' as const) : ('done' as const),
          };
        },
      ),
  };
}

function cancelled(): PreludeError {
  return new PreludeError('cancelled', 'The trial was stopped.', {
    remedy: 'Start it again whenever you like.',
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
