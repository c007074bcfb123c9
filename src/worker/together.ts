/** Several learned prompts on the one frozen model: a batch that mixes tasks, a vote, and the way from one prompt to another. */
import { wilsonInterval } from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import { answerJoiner, parseTemplate, render, truncate } from '../text/index.ts';
import { type PassReport, type PromptSource, planAnswers, type ScoreExample } from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import { drawDevRows, type Measuring, meanOf, scoreRows } from './measuring.ts';
import type { PreparedTask } from './preparedTask.ts';
import { speedometer } from './progress.ts';
import type { LabelScore, PromptRef, Share, TogetherEngine, VoteReport } from './protocol.ts';
import { best, labelScores, type ResolvePrompt, softValues } from './reading.ts';
import { devSample } from './runPlan.ts';
import { sameLabels, type TaskOfPrompt } from './taskOf.ts';

/** Tokens of a text at most where it is read under the template of another task. */
const MOST_TOKENS = 256;
/** Examples that a vote reads at once, so that a Stop is felt. */
const CHUNK = 32;

const share = (right: number, n: number): Share => ({ accuracy: right / n, ...wilsonInterval(right, n) });

/** The label that most name; of equal ones the one with the larger mean probability, then the first. */
export function majorityOf(votes: readonly number[], mean: readonly number[]): number {
  const counts = mean.map((_, label) => votes.filter((vote) => vote === label).length);
  let at = 0;
  for (let label = 1; label < counts.length; label++)
    if (counts[label]! > counts[at]! || (counts[label] === counts[at] && mean[label]! > mean[at]!))
      at = label;
  return at;
}

/** (1 - a) from + a to. */
export const between = (from: Float32Array, to: Float32Array, a: number): Float32Array<ArrayBuffer> =>
  Float32Array.from(from, (value, i) => (1 - a) * value + a * to[i]!);

export function createTogetherDesk(
  device: DeviceDesk,
  task: () => PreparedTask,
  resolve: ResolvePrompt,
  taskOf: (prompt: PromptRef) => Promise<TaskOfPrompt>,
  measuring: Measuring,
): TogetherEngine {
  const encode = (source: string, text: string, text2?: string) => {
    const { tokenizer } = device.need().opened;
    const template = parseTemplate(source, ['text', 'text2']);
    const whole = tokenizer.encode(render(template, { text: text.trim(), text2: text2?.trim() ?? '' }), {
      special: true,
    });
    return truncate(whole, MOST_TOKENS, tokenizer.eosId);
  };
  const sourceOf = (values: Float32Array<ArrayBuffer>): PromptSource => ({
    kind: 'values',
    length: values.length / device.need().model.info.width,
    values,
  });
  /** The two ends of a slide. */
  const ends = async (from: PromptRef, to: PromptRef) => {
    const [a, b] = [await softValues(await resolve(from)), await softValues(await resolve(to))];
    if (a.length !== b.length)
      throw new PreludeError(
        'prompt-mismatch',
        `One prompt has ${a.length} virtual tokens and the other ${b.length}.`,
        {
          remedy:
            'Choose two prompts of the same length: there is no way between vectors of different sizes.',
        },
      );
    return (at: number) => sourceOf(between(a.values, b.values, at));
  };
  const places = (points: number) => Array.from({ length: points }, (_, i) => i / (points - 1));

  return {
    describePrompts: (prompts) =>
      Promise.all(
        prompts.map(async (ref) => {
          const { values, answers, appendEos: _, ...rest } = await taskOf(ref);
          return { ...rest, bytes: values.byteLength, labels: answers.map(({ label }) => label) };
        }),
      ),

    async readTogether(items) {
      const { scorer, opened, model } = device.need();
      const { eosId } = opened.tokenizer;
      const sources = new Map<string, { of: TaskOfPrompt; source: PromptSource }>();
      const examples: ScoreExample[] = [];
      const labels: string[][] = [];
      for (const { prompt, text, text2 } of items) {
        const key = JSON.stringify(prompt);
        let known = sources.get(key);
        if (!known) {
          const of = await taskOf(prompt);
          known = { of, source: sourceOf(of.values) };
          sources.set(key, known);
        }
        const { of, source } = known;
        const end = of.appendEos && eosId !== undefined ? [eosId] : [];
        const joiner = model.kind === 'causal' ? answerJoiner(opened.tokenizer, of.template) : '';
        examples.push({
          ids: encode(of.template, text, text2),
          prompt: source,
          answers: planAnswers(
            of.answers.map((answer) => [...opened.tokenizer.encode(joiner + answer.text), ...end]),
          ),
        });
        labels.push(of.answers.map(({ label }) => label));
      }
      const passes: PassReport[] = [];
      const began = performance.now();
      const together = await scorer.score(examples, undefined, (pass) => passes.push(pass));
      const milliseconds = performance.now() - began;
      const scores = together.map((own, i) => labelScores(labels[i]!, own));
      let difference = 0;
      for (const [i, example] of examples.entries()) {
        const [alone] = await scorer.score([example]);
        labelScores(labels[i]!, alone!).forEach(({ probability }, c) => {
          difference = Math.max(difference, Math.abs(probability - scores[i]![c]!.probability));
        });
      }
      return {
        answers: scores.map((own, i) => ({
          label: labels[i]![best(together[i]!)]!,
          scores: own,
          tokens: examples[i]!.ids.length,
        })),
        passes,
        milliseconds,
        difference,
      };
    },

    vote: (refs, part, onProgress) =>
      measuring.run(async (signal): Promise<VoteReport> => {
        const { scorer } = device.need();
        const current = task();
        const members = await Promise.all(refs.map(taskOf));
        for (const { name, answers } of members)
          if (
            !sameLabels(
              answers.map((a) => a.label),
              current.labels,
            )
          )
            throw new PreludeError(
              'prompt-mismatch',
              `"${name}" answers ${answers.map((a) => a.label).join(', ')}; the table that is open has ${current.labels.join(', ')}.`,
              { remedy: 'Choose prompts that learned the labels of this table, or open theirs on Data.' },
            );
        const indices = part === 'dev' ? devSample(current.dev, 0) : current.test;
        const rows = indices.map((index) => current.examples[index]!);
        if (rows.length === 0)
          throw new PreludeError('bad-labels', `There are no ${part} rows.`, {
            remedy: 'Give this part a share of the rows on the Data station.',
          });
        const answers = planAnswers(current.verbalizers.map(({ ids }) => ids));
        const sources = members.map(({ values }) => sourceOf(values));
        // All prompts over a row stand beside each other: a vote is one pass over a batch of texts times prompts.
        const examples = rows.flatMap((row) =>
          members.map(
            ({ template }, m): ScoreExample => ({
              ids:
                template === current.settings.template
                  ? row.ids
                  : current.encodeText(row.text, row.text2, template),
              prompt: sources[m],
              answers,
            }),
          ),
        );
        const report = speedometer('Asking every prompt', 'examples', onProgress);
        const scores: LabelScore[][] = [];
        for (let at = 0; at < examples.length; at += CHUNK) {
          signal.throwIfAborted();
          const own = await scorer.score(examples.slice(at, at + CHUNK));
          scores.push(...own.map((values) => labelScores(current.labels, values)));
          report(scores.length, examples.length);
        }
        const right = { majority: 0, mean: 0, members: members.map(() => 0) };
        const outcomes = rows.map((row, r) => {
          const own = members.map((_, m) => scores[r * members.length + m]!);
          const votes = own.map((labels) => best(labels.map(({ probability }) => probability)));
          const mean = current.labels.map(
            (_, label) => own.reduce((sum, labels) => sum + labels[label]!.probability, 0) / own.length,
          );
          const [majority, byMean] = [majorityOf(votes, mean), best(mean)];
          votes.forEach((vote, m) => {
            if (vote === row.label) right.members[m]!++;
          });
          if (majority === row.label) right.majority++;
          if (byMean === row.label) right.mean++;
          return {
            row: row.row,
            text: row.text,
            text2: row.text2,
            label: current.labels[row.label]!,
            votes: votes.map((vote, m) => ({
              label: current.labels[vote]!,
              probability: own[m]![vote]!.probability,
            })),
            majority: current.labels[majority]!,
            mean: current.labels[byMean]!,
          };
        });
        const n = rows.length;
        return {
          part,
          n,
          labels: current.labels,
          members: refs.map((prompt, m) => ({ prompt, ...share(right.members[m]!, n) })),
          average: right.members.reduce((sum, count) => sum + count / n, 0) / members.length,
          majority: share(right.majority, n),
          mean: share(right.mean, n),
          outcomes,
        };
      }),

    slide: (from, to, { points, rows: most }, onProgress) =>
      measuring.run(async (signal) => {
        const { scorer } = device.need();
        const current = task();
        const promptAt = await ends(from, to);
        const rows = drawDevRows(current, most);
        const answers = planAnswers(current.verbalizers.map(({ ids }) => ids));
        const report = speedometer('Measuring along the way', 'examples', onProgress);
        report(0, points * rows.length);
        const measured = [];
        for (const at of places(points)) {
          signal.throwIfAborted();
          const scores = await scoreRows(scorer, rows, promptAt(at), answers, current.labels);
          measured.push({ at, ...meanOf(scores) });
          report(measured.length * rows.length, points * rows.length);
        }
        return { n: rows.length, points: measured };
      }),

    async slideText(from, to, text, text2, points) {
      const { scorer } = device.need();
      const current = task();
      const promptAt = await ends(from, to);
      const ids = current.encodeText(text, text2);
      const answers = planAnswers(current.verbalizers.map((word) => word.ids));
      const scores = await scorer.score(places(points).map((at) => ({ ids, prompt: promptAt(at), answers })));
      return scores.map((own) => labelScores(current.labels, own));
    },
  };
}
