import { seededRandom, shuffle } from '../data/index.ts';

/** Which examples a step learns from: epoch after epoch, each in a new seeded order, batches running on over its end. */
export interface Sampler {
  /** Indices of step `step` (1, 2, ...). Depends on nothing but the step: resuming needs no stored state. */
  batch(step: number): number[];
}

/** @param count training examples. @param batchSize examples a step; more than `count` repeats them. */
export function createSampler(count: number, batchSize: number, seed: number): Sampler {
  const indices = Array.from({ length: count }, (_, i) => i);
  let known = { epoch: -1, order: indices };
  const orderOf = (epoch: number): number[] => {
    if (known.epoch !== epoch)
      known = { epoch, order: shuffle(indices, seededRandom(seed + (epoch + 1) / 65_536)) };
    return known.order;
  };
  return {
    batch(step) {
      const from = (step - 1) * batchSize;
      return Array.from({ length: batchSize }, (_, i) => {
        const at = from + i;
        return orderOf(Math.floor(at / count))[at % count];
      });
    },
  };
}
