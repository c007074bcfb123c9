/** Long measurements that a person can stop, and what they read: the same rows for whatever is compared. */
import { seededRandom, shuffle } from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import type { AnswerPlan, PromptSource, Scorer } from '../tuning/index.ts';
import type { PreparedExample, PreparedTask } from './preparedTask.ts';
import { best, labelScores } from './reading.ts';
import { devSample } from './runPlan.ts';

export interface Measuring {
  /** @throws PreludeError `cancelled` from the next `signal.throwIfAborted()` on, once `stop` was called */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  stop(): void;
}

export function createMeasuring(): Measuring {
  const going = new Set<AbortController>();
  return {
    async run(work) {
      const controller = new AbortController();
      going.add(controller);
      try {
        return await work(controller.signal);
      } finally {
        going.delete(controller);
      }
    },
    stop() {
      const reason = new PreludeError('cancelled', 'The measurement was stopped.', {
        remedy: 'Press its button again to measure anew.',
      });
      for (const controller of going) controller.abort(reason);
    },
  };
}

/** The same seeded draw of dev rows each time, in their order. @throws PreludeError `bad-labels` where there are none */
export function drawDevRows(task: PreparedTask, most: number): PreparedExample[] {
  const all = devSample(task.dev, 0);
  if (all.length === 0)
    throw new PreludeError('bad-labels', 'There are no dev rows.', {
      remedy: 'Give the dev part a share of the rows on the Data station.',
    });
  const drawn =
    all.length <= most
      ? all
      : shuffle(all, seededRandom(0))
          .slice(0, most)
          .sort((a, b) => a - b);
  return drawn.map((index) => task.examples[index]!);
}

export interface RowScore {
  loss: number;
  right: boolean;
}

/** Each row's loss, which is -log of the right label's probability among the labels, and whether it is the likeliest. */
export async function scoreRows(
  scorer: Scorer,
  rows: readonly (Pick<PreparedExample, 'label'> & { ids: readonly number[] })[],
  prompt: PromptSource | undefined,
  answers: AnswerPlan,
  labels: readonly string[],
): Promise<RowScore[]> {
  const scores = await scorer.score(rows.map(({ ids }) => ({ ids, prompt, answers })));
  return scores.map((own, i) => ({
    loss: -Math.log(labelScores(labels, own)[rows[i]!.label]!.probability),
    right: best(own) === rows[i]!.label,
  }));
}

export function meanOf(rows: readonly RowScore[]): { loss: number; accuracy: number } {
  return {
    loss: rows.reduce((sum, { loss }) => sum + loss, 0) / rows.length,
    accuracy: rows.filter(({ right }) => right).length / rows.length,
  };
}

/** Mean, and its standard error (0 for a single value). */
export function meanAndError(values: readonly number[]): { mean: number; error: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, n - 1);
  return { mean, error: Math.sqrt(variance / n) };
}
