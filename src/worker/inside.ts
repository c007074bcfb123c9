/** The inside of a prompt: its way over a map of the vocabulary, which virtual tokens matter, and who attends to them. */
import { PreludeError } from '../errors.ts';
import { type Plane, pca2, projectOn, rowNorms } from '../prompts/index.ts';
import { type PromptSnapshot, type PromptSource, planAnswers } from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import { drawDevRows, type Measuring, meanAndError, meanOf, scoreRows } from './measuring.ts';
import type { PreparedTask } from './preparedTask.ts';
import { speedometer } from './progress.ts';
import type { InsideEngine, PromptRef } from './protocol.ts';
import { best, labelsFor, type ResolvePrompt, softValues } from './reading.ts';

/** Words on the map at most, and numbers of them: a plane through more takes seconds and looks no different. */
const MOST_WORDS = 8192;
const MOST_NUMBERS = 4e6;

/** Evenly spread over a list, the first always among them. */
export function evenly<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]!);
}

/** [P, d] without row `index`. */
export function withoutRow(
  values: Float32Array<ArrayBuffer>,
  width: number,
  index: number,
): Float32Array<ArrayBuffer> {
  const rest = new Float32Array(values.length - width);
  rest.set(values.subarray(0, index * width));
  rest.set(values.subarray((index + 1) * width), index * width);
  return rest;
}

/** The part of rows' squared distance from a plane's middle that the plane shows, 0 to 1. */
export function shownBy(plane: Plane, rows: Float32Array): number {
  const width = plane.mean.length;
  let all = 0;
  for (let i = 0; i < rows.length; i++) all += (rows[i]! - plane.mean[i % width]!) ** 2;
  const inPlane = projectOn(plane, rows).reduce((sum, x) => sum + x * x, 0);
  return all > 0 ? Math.min(1, inPlane / all) : 1;
}

export function createInsideDesk(
  device: DeviceDesk,
  task: () => PreparedTask,
  resolve: ResolvePrompt,
  historyOf: (prompt: PromptRef) => Promise<readonly PromptSnapshot[]>,
  measuring: Measuring,
): Omit<InsideEngine, 'stopMeasuring'> {
  let map: { of: Float32Array; ids: number[]; rows: Float32Array; plane: Plane } | undefined;
  /** The plane through the loaded model's words; made once for a model. */
  const vocabularyPlane = async () => {
    const { embedding, width, byFrequency } = await device.need().vocabulary();
    if (map?.of !== embedding) {
      const ids = evenly(byFrequency, Math.min(MOST_WORDS, Math.max(64, Math.floor(MOST_NUMBERS / width))));
      const rows = new Float32Array(ids.length * width);
      ids.forEach((id, i) => {
        rows.set(embedding.subarray(id * width, (id + 1) * width), i * width);
      });
      map = { of: embedding, ids, rows, plane: pca2(rows, width) };
    }
    return map;
  };

  return {
    async vocabularyMap() {
      const resident = device.need();
      const { embedding, width, byFrequency, token } = await resident.vocabulary();
      const { ids, rows, plane } = await vocabularyPlane();
      const { eosId } = resident.model.info;
      const labels = task().verbalizers.map(({ label, text, ids: word }) => {
        const own = word.filter((id) => id !== eosId);
        const mean = new Float32Array(width);
        for (const id of own)
          for (let j = 0; j < width; j++) mean[j]! += embedding[id * width + j]! / own.length;
        const [x, y] = projectOn(plane, mean);
        return { label, word: text, x: x!, y: y!, norm: rowNorms(mean, width)[0]! };
      });
      return {
        words: ids.map(token),
        of: byFrequency.length,
        xy: projectOn(plane, rows),
        norms: rowNorms(rows, width),
        explained: plane.explained,
        labels,
      };
    },

    async promptTrail(prompt) {
      const { plane } = await vocabularyPlane();
      const width = plane.mean.length;
      const history = [...(await historyOf(prompt))];
      if (history.length === 0) history.push({ step: 0, ...(await softValues(await resolve(prompt))) });
      const { values } = history[0]!;
      const length = values.length / width;
      const all = new Float32Array(history.length * values.length);
      history.forEach((snapshot, s) => {
        all.set(snapshot.values, s * values.length);
      });
      return {
        length,
        steps: history.map(({ step }) => step),
        xy: projectOn(plane, all),
        norms: rowNorms(all, width),
        shown: Float32Array.from(history, (snapshot) => shownBy(plane, snapshot.values)),
      };
    },

    leaveOneOut: (ref, { rows: most }, onProgress) =>
      measuring.run(async (signal) => {
        const { scorer, model } = device.need();
        const current = task();
        const { width } = model.info;
        const prompt = await resolve(ref);
        const { length, values } = await softValues(prompt);
        const answers = planAnswers(current.verbalizers.map(({ ids }) => ids));
        const { template } = prompt;
        const rows = drawDevRows(current, most).map((example) => ({
          label: example.label,
          ids:
            template === undefined ? example.ids : current.encodeText(example.text, example.text2, template),
        }));
        const total = (length + 1) * rows.length;
        const report = speedometer('Leaving one virtual token out', 'examples', onProgress);
        report(0, total);
        const read = async (source: PromptSource | undefined, done: number) => {
          signal.throwIfAborted();
          const scores = await scoreRows(scorer, rows, source, answers, current.labels);
          report(done * rows.length, total);
          return scores;
        };
        const whole = await read({ kind: 'values', length, values }, 1);
        const tokens = [];
        for (let i = 0; i < length; i++) {
          const source: PromptSource | undefined =
            length > 1
              ? { kind: 'values', length: length - 1, values: withoutRow(values, width, i) }
              : undefined;
          const without = await read(source, i + 2);
          const { mean, error } = meanAndError(without.map(({ loss }, r) => loss - whole[r]!.loss));
          tokens.push({ ...meanOf(without), change: mean, error });
        }
        return { n: rows.length, whole: meanOf(whole), tokens };
      }),

    async attention(ref, text, text2) {
      const { scorer, opened, model } = device.need();
      if (!scorer.attend)
        throw new PreludeError('no-webgpu', 'The processor’s engine keeps no attention to look at.', {
          remedy:
            'Open the page in a browser with WebGPU, or switch to the graphics device on the Model station.',
        });
      const current = task();
      const prompt = await resolve(ref);
      const { length, values } = await softValues(prompt);
      const source: PromptSource = { kind: 'values', length, values };
      const ids = current.encodeText(text, text2, prompt.template);
      const { labels, candidates } = labelsFor(prompt, current, opened.tokenizer);
      const [scores] = await scorer.score([{ ids, prompt: source, answers: planAnswers(candidates) }]);
      const likeliest = best(scores!);
      const answer = candidates[likeliest]!;
      const blocks = await scorer.attend({ ids, prompt: source, answers: planAnswers([answer]) });
      const words = (list: readonly number[]) => list.map((id) => opened.tokenizer.token(id));
      return {
        length,
        heads: model.info.heads,
        label: labels[likeliest]!,
        blocks: blocks.map(({ of, layers }) => ({
          of,
          tokens:
            of === 'encoder'
              ? words(ids)
              : of === 'cross'
                ? words(answer)
                : words([...ids, ...answer.slice(0, -1)]),
          seen: length + ids.length + (of === 'causal' ? answer.length - 1 : 0),
          layers,
        })),
      };
    },
  };
}
