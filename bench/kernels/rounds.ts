import type { PreparedKernels } from '../../src/kernels/matmul/measure.ts';

export interface Entrant {
  name: string;
  flops: number;
  prepared: PreparedKernels;
}

/** GFLOP/s of each, from its best round; all take turns, since other work on the machine moves times more than tiles do. */
export async function takeTurns(entrants: Entrant[], rounds: number): Promise<number[]> {
  const best = entrants.map(() => Number.POSITIVE_INFINITY);
  for (const { prepared } of entrants) await prepared.run(1);
  for (let round = 0; round < rounds; round++)
    for (const [i, { prepared }] of entrants.entries()) best[i] = Math.min(best[i], await prepared.run(1));
  return entrants.map(({ flops }, i) => flops / best[i] / 1e6);
}

/** Seeded values in -0.5 .. 0.5. */
export function values(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}
