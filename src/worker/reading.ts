/**
 * Reading with the frozen model: label scores under no prompt, a written one or a soft one, evaluation of whole parts, nearest
 * words of virtual tokens.
 */
import { evaluate as evaluateAnswers, majorityBaseline, NO_LABEL } from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import { nearestTokens, randomNearest, rowNorms, type SoftPrompt } from '../prompts/index.ts';
import type { Tokenizer } from '../text/index.ts';
import { type AnswerPlan, type PromptSource, planAnswers, type ScoreExample } from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import type { PreparedTask } from './preparedTask.ts';
import { speedometer } from './progress.ts';
import type {
  Evaluation,
  LabelScore,
  OnProgress,
  Prediction,
  PromptRef,
  TokenNeighbours,
} from './protocol.ts';
import { devSample } from './runPlan.ts';

/** A prompt as the reader needs it. */
export interface ReadablePrompt {
  /** Undefined: no soft prompt in front. */
  source: PromptSource | undefined;
  /** Another template than the task's. */
  template?: string;
  /** Labels and words of the task it was learned on, where that is another than the present one. */
  own?: { labels: string[]; words: string[]; appendEos: boolean };
  /** Where each row started, and its start's values. */
  start?: { values: Float32Array; words: (string | undefined)[] };
  values?(): Promise<Float32Array<ArrayBuffer>>;
}

/** `step`: as a run's prompt was then. */
export type ResolvePrompt = (ref: PromptRef, step?: number) => Promise<ReadablePrompt>;

export const noSoftPrompt = () =>
  new PreludeError('bad-prompt', 'Only a soft prompt has virtual tokens.', {
    remedy: 'Choose a run or a kept prompt.',
  });

/** A prompt that is there in numbers. @throws PreludeError `bad-prompt` where there is none */
export async function softValues({ source, values }: ReadablePrompt): Promise<{
  length: number;
  values: Float32Array<ArrayBuffer>;
}> {
  const numbers = await values?.();
  if (!source || !numbers) throw noSoftPrompt();
  return { length: source.length, values: numbers };
}

/** What a prompt is asked for: its own labels and their token ids where it brings them, else those of the task. */
export function labelsFor(
  { own, template }: ReadablePrompt,
  current: Pick<PreparedTask, 'labels' | 'verbalizers' | 'encodeAnswer'>,
  tokenizer: Pick<Tokenizer, 'eosId'>,
): { labels: string[]; candidates: number[][] } {
  if (!own) return { labels: current.labels, candidates: current.verbalizers.map(({ ids }) => ids) };
  const end = own.appendEos && tokenizer.eosId !== undefined ? [tokenizer.eosId] : [];
  return {
    labels: own.labels,
    candidates: own.words.map((word) => [...current.encodeAnswer(word, template), ...end]),
  };
}

/** Softmax of log-likelihoods. */
export function labelScores(labels: readonly string[], logLikelihoods: ArrayLike<number>): LabelScore[] {
  const most = Math.max(...Array.from(logLikelihoods));
  const weights = Array.from(logLikelihoods, (value) => Math.exp(value - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  return labels.map((label, i) => ({
    label,
    logLikelihood: logLikelihoods[i],
    probability: weights[i] / sum,
  }));
}

/** Index of the largest, the first of equals. */
export function best(values: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[at]) at = i;
  return at;
}

/** A reading prompt of values kept in JavaScript. */
export function readableValues(prompt: Pick<SoftPrompt, 'length' | 'values' | 'task'>): ReadablePrompt {
  const values = new Float32Array(prompt.values);
  return {
    source: { kind: 'values', length: prompt.length, values },
    values: async () => values,
    ...(prompt.task && {
      template: prompt.task.template,
      own: {
        labels: prompt.task.labels.map(({ label }) => label),
        words: prompt.task.labels.map(({ text }) => text),
        appendEos: prompt.task.appendEos,
      },
    }),
  };
}

export interface ReadingDesk {
  evaluate(
    ref: PromptRef,
    part: 'dev' | 'test',
    decoding: 'rank' | 'greedy',
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<Evaluation>;
  predict(
    text: string,
    text2: string | undefined,
    refs: PromptRef[],
    generate: boolean,
  ): Promise<Prediction[]>;
  neighbours(ref: PromptRef, count: number, step?: number): Promise<TokenNeighbours>;
}

export function createReadingDesk(
  device: DeviceDesk,
  task: () => PreparedTask,
  resolve: ResolvePrompt,
): ReadingDesk {
  /** Room for the longest answer and two tokens more, so that a babbling model is seen as such. */
  const answerLength = (answers: AnswerPlan) => Math.max(...answers.candidates.map((c) => c.length)) + 2;

  /** The baseline of random vectors depends on the model alone. */
  let baseline: { of: Float32Array; random: TokenNeighbours['random'] } | undefined;

  return {
    async evaluate(ref, part, decoding, onProgress, signal) {
      const { scorer, opened } = device.need();
      const current = task();
      // Always the same draw of dev rows, so that the lines of one chart are about the same rows.
      const rows = part === 'dev' ? devSample(current.dev, 0) : current.test;
      const chosen = rows.map((index) => current.examples[index]);
      if (chosen.length === 0)
        throw new PreludeError('bad-labels', `There are no ${part} rows.`, {
          remedy: 'Give this part a share of the rows on the Data station.',
        });
      const { source, template } = await resolve(ref);
      const answers = planAnswers(current.verbalizers.map(({ ids }) => ids));
      const inputs = chosen.map(
        (example): ScoreExample => ({
          ids:
            template === undefined ? example.ids : current.encodeText(example.text, example.text2, template),
          prompt: source,
          answers,
        }),
      );
      const report = speedometer(`Reading ${part} rows`, 'examples', onProgress);
      const scores = await scorer.score(inputs, (done) => report(done, inputs.length), undefined, signal);
      const generated =
        decoding === 'greedy'
          ? await scorer.generate(
              inputs,
              { maxTokens: answerLength(answers) },
              (done) => report(done, inputs.length),
              signal,
            )
          : undefined;
      const texts = generated?.map((ids) => opened.tokenizer.decode(ids, { skipSpecial: true }).trim());
      const words = current.verbalizers.map(({ ids }) =>
        opened.tokenizer.decode(ids, { skipSpecial: true }).trim(),
      );
      const predicted = texts
        ? texts.map((text) => (words.includes(text) ? words.indexOf(text) : NO_LABEL))
        : scores.map(best);
      const truth = chosen.map(({ label }) => label);
      const metrics = evaluateAnswers(current.labels, truth, predicted);
      const majority = majorityBaseline(
        current.train.map((index) => current.examples[index].label),
        truth,
      );
      return {
        prompt: ref,
        part,
        n: chosen.length,
        accuracy: metrics.accuracy,
        low: metrics.interval.low,
        high: metrics.interval.high,
        macroF1: metrics.macroF1,
        classes: metrics.classes.map(({ label, precision, recall, f1, support }) => ({
          label,
          precision,
          recall,
          f1,
          support,
        })),
        labels: current.labels,
        confusion: metrics.confusion,
        majority: {
          label: majority ? current.labels[majority.label] : '',
          accuracy: majority?.accuracy ?? 0,
        },
        outcomes: chosen.map((example, i) => ({
          row: example.row,
          text: example.text,
          text2: example.text2,
          label: current.labels[example.label],
          predicted: predicted[i] === NO_LABEL ? '' : current.labels[predicted[i]],
          probability: labelScores(current.labels, scores[i])[best(scores[i])].probability,
          generated: texts?.[i],
        })),
      };
    },

    async predict(text, text2, refs, generate) {
      const { scorer, opened } = device.need();
      const current = task();
      const readings = await Promise.all(
        refs.map(async (ref) => {
          const prompt = await resolve(ref);
          const { labels, candidates } = labelsFor(prompt, current, opened.tokenizer);
          const example: ScoreExample = {
            ids: current.encodeText(text, text2, prompt.template),
            prompt: prompt.source,
            answers: planAnswers(candidates),
          };
          return { ref, labels, example };
        }),
      );
      // Several prompts over one text are one batch on the one frozen model.
      const scores = await scorer.score(readings.map(({ example }) => example));
      const generated = generate
        ? await scorer.generate(
            readings.map(({ example }) => example),
            { maxTokens: Math.max(...readings.map(({ example }) => answerLength(example.answers))) },
          )
        : undefined;
      return readings.map(({ ref, labels }, i) => ({
        prompt: ref,
        scores: labelScores(labels, scores[i]),
        label: labels[best(scores[i])],
        generated: generated && opened.tokenizer.decode(generated[i], { skipSpecial: true }).trim(),
      }));
    },

    async neighbours(ref, count, step) {
      const resident = device.need();
      const prompt = await resolve(ref, step);
      const { start } = prompt;
      const { values } = await softValues(prompt);
      const { embedding, width, byFrequency, token } = await resident.vocabulary();
      const ordinary = new Set(byFrequency);
      const exclude = new Set<number>();
      for (let id = 0; id < embedding.length / width; id++) if (!ordinary.has(id)) exclude.add(id);
      const nearest = nearestTokens(values, embedding, width, count, { exclude });
      if (baseline?.of !== embedding)
        baseline = { of: embedding, random: randomNearest(embedding, width, { exclude }) };
      const norms = rowNorms(values, width);
      const moved =
        start &&
        rowNorms(
          values.map((value, i) => value - start.values[i]),
          width,
        );
      return {
        tokens: nearest.map((words, p) => ({
          norm: norms[p],
          moved: moved?.[p] ?? 0,
          startedFrom: start?.words[p],
          words: words.map(({ id, cosine }) => ({ word: token(id), cosine })),
        })),
        random: baseline.random,
      };
    },
  };
}
