import type { Trials } from '../../worker/trialProtocol.ts';

/** Trials of the fake engine: a loss that falls around a rate of 1. */
export function fakeTrials(stepsPerSecond: number): Trials {
  return {
    async probeRun(recipe) {
      const step = 1 / stepsPerSecond;
      return {
        seconds: { step, dev: 0.5, compile: 1 },
        steps: 5,
        tokensPerStep: 32 * 40,
        run: recipe.steps * step + Math.ceil(recipe.steps / recipe.evalEvery) * 0.5,
        bytes: 61_000_000,
      };
    },
    async sweepRates(_recipe, { from, to, steps }, onPoint) {
      const points = Array.from({ length: steps }, (_, i) => {
        const rate = from * (to / from) ** (i / (steps - 1));
        return { rate, loss: 2 - 1 / (1 + Math.exp(-4 * Math.log10(rate))) };
      });
      for (const point of points) onPoint(point);
      return { points, smoothed: points.map(({ loss }) => loss), suggested: 1, ended: 'done' };
    },
    stopTrial: async () => undefined,
  };
}
