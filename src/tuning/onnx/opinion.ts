import type { Learner } from '../trainer.ts';
import type { LearnerSettings } from '../trainingGraph.ts';

/** How far two engines are apart in one quantity. */
export interface Difference {
  /** max |a - b|, and max |b|: the largest magnitude ONNX Runtime gives. */
  largest: number;
  magnitude: number;
  /** Their quotient. */
  relative: number;
  /** Values compared. */
  count: number;
}

export interface SecondOpinion {
  loss: { shaders: number; onnx: number } & Difference;
  logits: Difference;
  gradient: Difference;
}

/** A learner that lets one look inside: both engines' do. */
export interface OpenLearner extends Learner {
  readLogits(): Promise<Float32Array>;
  readGradient(): Promise<Float32Array>;
  destroy(): void;
}

export function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>): Difference {
  if (a.length !== b.length) throw new Error(`${a.length} values are compared with ${b.length}`);
  let largest = 0;
  let magnitude = 0;
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs(a[i] - b[i]);
    // NaN on one side is as far apart as can be, and must not be lost in a maximum.
    largest = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(largest, apart);
    magnitude = Math.max(magnitude, Math.abs(b[i]));
  }
  return { largest, magnitude, relative: magnitude > 0 ? largest / magnitude : largest, count: a.length };
}

/**
 * The shaders' logits, loss and gradient of a batch beside those of ONNX Runtime: the same graph, another implementation of every op.
 * One step of each on the same examples, from the same prompt; both are made with `opinionSettings` and take the examples at once.
 */
export async function compareLearners(
  shaders: OpenLearner,
  onnx: OpenLearner,
  examples: readonly number[],
): Promise<SecondOpinion> {
  const [a, b] = await Promise.all(
    [shaders, onnx].map(async (learner) => ({
      loss: (await learner.step(1, examples, { scene: false })).loss,
      logits: await learner.readLogits(),
      gradient: await learner.readGradient(),
    })),
  );
  return {
    loss: { shaders: a!.loss, onnx: b!.loss, ...differenceOf([a!.loss], [b!.loss]) },
    logits: differenceOf(a!.logits, b!.logits),
    gradient: differenceOf(a!.gradient, b!.gradient),
  };
}

/** What both learners of an opinion are made with: one step of it leaves the prompt as good as still. */
export const opinionSettings = (settings: Pick<LearnerSettings, 'length' | 'loss'>): LearnerSettings => ({
  ...settings,
  optimizer: { kind: 'sgd', learningRate: 1e-6, momentum: 0 },
  clipNorm: 0,
  keepLogits: true,
});
