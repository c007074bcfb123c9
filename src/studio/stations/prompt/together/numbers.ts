/** What the page about several prompts says in numbers. */
import type { LabelScore, SlidePoint, VoteReport } from '../../../../worker/protocol.ts';

export interface Bytes {
  /** One frozen model and all prompts. */
  together: number;
  /** A tuned copy of the model for each task. */
  copies: number;
}

/** What k tasks take: one model and k prompts, against k models (Lester et al. 2021, figure 2). */
export function bytesOf(modelBytes: number, prompts: readonly { bytes: number }[]): Bytes {
  return {
    together: modelBytes + prompts.reduce((sum, { bytes }) => sum + bytes, 0),
    copies: modelBytes * prompts.length,
  };
}

/** Rows of a vote on which its members differ. */
export function disputed(vote: VoteReport): VoteReport['outcomes'] {
  return vote.outcomes.filter(({ votes }) => votes.some(({ label }) => label !== votes[0]!.label));
}

/** How far the loss rises over the straight line between its ends at its worst; 0 where it never does. */
export function barrier(points: readonly SlidePoint[]): number {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return 0;
  return Math.max(0, ...points.map(({ at, loss }) => loss - ((1 - at) * first.loss + at * last.loss)));
}

/** Scores at any place, from those at evenly spread ones: the nearer ones weigh more. */
export function scoresAt(along: readonly LabelScore[][], at: number): LabelScore[] {
  const place = at * (along.length - 1);
  const before = Math.min(along.length - 1, Math.floor(place));
  const after = Math.min(along.length - 1, before + 1);
  const share = place - before;
  return along[before]!.map((score, c) => ({
    ...score,
    probability: (1 - share) * score.probability + share * along[after]![c]!.probability,
  }));
}
