/**
 * An engine without arithmetic for tests of the studio: answers at once (or after `delay`), its runs follow smooth curves.
 * Nothing of it is in the product.
 */
import type { ErrorReport } from '../../errors.ts';
import type { Recipe } from '../../tuning/recipe.ts';
import type {
  Engine,
  Evaluation,
  OnProgress,
  PromptRef,
  RunEvent,
  RunSummary,
  SavedPrompt,
  TaskReport,
  TaskSettings,
  TokenView,
} from '../../worker/protocol.ts';
import {
  fakeModel,
  fakeModels,
  fakeSamples,
  fakeSaved,
  fakeScores,
  fakeSettings,
  fakeTexts,
  hash01,
} from './fakeData.ts';
import { fakeEngineSwitch } from './fakeDevice.ts';
import { fakeEvaluation } from './fakeEvaluation.ts';
import { createFakeHub, type FakeHubOptions } from './fakeHub.ts';
import { fakeInside } from './fakeInside.ts';
import { fakeProfile } from './fakeProfile.ts';
import { type FakeRun, type FakeRunOptions, fakeAccuracy, startFakeRun } from './fakeRun.ts';
import { fakeTrials } from './fakeTrials.ts';

export interface FakeOptions extends Partial<FakeRunOptions>, FakeHubOptions {
  /** Milliseconds each answer takes; progress is told in ten parts. */
  delay?: number;
  deviceError?: ErrorReport;
  /** The adapter is software. */
  software?: boolean;
  loadError?: ErrorReport;
  dataError?: ErrorReport;
  stored?: RunSummary[];
}

export interface FakeEngine extends Engine {
  /** Every call, in order: for tests of what is asked and how often. */
  calls: { name: string; args: unknown[] }[];
}

export function createFakeEngine(options: FakeOptions = {}): FakeEngine {
  const { delay = 0, stepsPerSecond = 40 } = options;
  const calls: FakeEngine['calls'] = [];
  const stored: RunSummary[] = [...(options.stored ?? [])];
  let saved: SavedPrompt[] = [fakeSaved];
  const deleted: SavedPrompt[] = [];
  let model = fakeModel('small');
  let sample = fakeSamples[0]!;
  let settings: TaskSettings = fakeSettings(sample.labels);
  let mended: string[] = [];
  let run: FakeRun | undefined;
  let evaluationStops = 0;
  let dataStops = 0;

  const wait = (ms: number) =>
    ms > 0 ? new Promise<void>((done) => setTimeout(done, ms)) : Promise.resolve();
  const work = async (
    what: string,
    unit: 'bytes' | 'rows' | 'examples',
    total: number,
    onProgress: OnProgress,
  ) => {
    const parts = delay > 0 ? 10 : 1;
    for (let i = 1; i <= parts; i++) {
      await wait(delay / parts);
      const perSecond = delay > 0 ? total / (delay / 1000) : undefined;
      onProgress({
        what,
        done: (total * i) / parts,
        total,
        unit,
        perSecond,
        secondsLeft: perSecond && (total * (1 - i / parts)) / perSecond,
      });
    }
  };

  const rowsOf = () => {
    const texts = fakeTexts[sample.id] ?? fakeTexts.questions!;
    return Array.from({ length: sample.rows }, (_, row) => {
      const [text, label] = texts[row % texts.length]!;
      const part = row % 20 < 14 ? ('train' as const) : row % 20 < 17 ? ('dev' as const) : ('test' as const);
      return { row, text: row < texts.length ? text : `${text} (${row})`, label, part };
    });
  };

  const taskReport = (): TaskReport => {
    const rows = rowsOf();
    const count = (part: string) => rows.filter((row) => row.part === part).length;
    return {
      settings,
      labels: sample.labels.map((label) => ({
        label,
        count: rows.filter((row) => row.label === label).length,
        word: settings.verbalizers[label] ?? label,
        tokens: [`▁${settings.verbalizers[label] ?? label}`],
      })),
      counts: {
        examples: rows.length,
        train: count('train'),
        dev: count('dev'),
        test: count('test'),
        leftOut: mended.length ? 3 : 0,
      },
      lengths: { binWidth: 4, counts: [12, 80, 240, 260, 140, 50, 18], longest: 27, truncated: 0 },
      findings: mended.length
        ? []
        : [
            {
              id: 'duplicates',
              severity: 'warning',
              message: '3 rows stand twice.',
              rows: [4, 9, 17],
              mend: 'Remove duplicates',
            },
          ],
      mended,
      majority: {
        label: sample.labels[0]!,
        dev: 1 / sample.labels.length + 0.005,
        test: 1 / sample.labels.length,
      },
    };
  };

  const skillOf = (prompt: PromptRef): number => {
    if (prompt.kind === 'none') return 0.05;
    if (prompt.kind === 'written') return 0.15;
    if (prompt.kind === 'saved') return 0.7;
    const summary = stored.find((r) => r.id === prompt.run);
    return summary ? Math.min(1, summary.step / 150) : 0;
  };
  const truthOf = (text: string) => rowsOf().find((row) => row.text === text)?.label;

  const evaluation = (prompt: PromptRef, part: 'dev' | 'test'): Evaluation => {
    const { labels } = sample;
    const rows = rowsOf().filter((row) => row.part === part);
    const runOf = prompt.kind === 'run' ? stored.find((r) => r.id === prompt.run) : undefined;
    const wanted = runOf
      ? fakeAccuracy(runOf.recipe, runOf.step)
      : prompt.kind === 'saved'
        ? 0.78
        : 0.98 / labels.length + (prompt.kind === 'written' ? 0.05 : 0);
    return fakeEvaluation(prompt, part, labels, rows, wanted);
  };

  const view = (row: number, text: string, label: string): TokenView => ({
    row,
    tokens: [
      ...text
        .split(/\s+/)
        .filter(Boolean)
        .flatMap((word) => {
          const [, head, tail] = /^(.*?)([.,?!]*)$/.exec(word)!;
          return [`▁${head!.toLowerCase()}`, ...(tail ? [tail] : [])];
        }),
      '</s>',
    ],
    truncated: false,
    label,
  });

  const newRun = (recipe: Recipe): RunSummary => ({
    id: `run-${stored.length + 1}`,
    name: `${sample.title.toLowerCase()} ${stored.length + 1}`,
    state: 'starting',
    recipe,
    modelId: model.id,
    modelTitle: model.title,
    dataName: sample.title,
    step: 0,
    steps: [],
    evals: [{ step: 0, accuracy: fakeAccuracy(recipe, 0), loss: 1, best: true }],
    seconds: 0,
    learned: recipe.promptLength * model.width,
    resumable: false,
  });
  const begin = (summary: RunSummary, onEvent: (event: RunEvent) => void, paused: boolean) => {
    run = startFakeRun(summary, onEvent, { paused, stepsPerSecond, failAt: options.failAt });
    return structuredClone(summary);
  };

  const engine: Engine = {
    ...fakeEngineSwitch(options, () => wait(delay / 4)),
    ...fakeInside({
      runs: () => stored,
      saved: () => saved,
      labels: () => sample.labels,
      rows: rowsOf,
      work,
    }),
    listModels: async () => fakeModels,
    async loadModel(source, onProgress, { precision = 'stored' } = {}) {
      const next = { ...fakeModel(source.kind === 'builtin' ? source.id : 'base'), precision };
      await work(`Loading ${next.title}`, 'bytes', next.weightBytes, onProgress);
      if (options.loadError) throw options.loadError;
      model = next;
      return model;
    },
    cancelLoad: async () => undefined,
    ...createFakeHub(options, () => wait(delay / 4)),
    listSamples: async () => fakeSamples,
    async openData(source, _options, onProgress) {
      await work('Reading rows', 'rows', 800, onProgress);
      if (options.dataError) throw options.dataError;
      sample =
        fakeSamples.find((card) => source.kind === 'sample' && card.id === source.id) ?? fakeSamples[1]!;
      settings = fakeSettings(sample.labels);
      mended = [];
      return {
        name: source.kind === 'sample' ? sample.title : source.file.name,
        format: 'CSV',
        delimiter: ',',
        encoding: 'utf-8',
        header: true,
        columns: ['text', 'label'],
        rows: sample.rows,
        warnings: [],
        head: rowsOf()
          .slice(0, 8)
          .map((row) => [row.text, row.label]),
        guessedRoles: { text: 'text', label: 'label' },
      };
    },
    cancelData: async () => void dataStops++,
    suggestTask: async () => settings,
    async setTask(next, onProgress) {
      const asked = dataStops;
      await work('Reading tokens', 'rows', sample.rows, onProgress);
      if (asked !== dataStops)
        throw { code: 'cancelled', message: 'Stopped.', remedy: 'Ask again.' } satisfies ErrorReport;
      settings = next;
      return taskReport();
    },
    async mend(id) {
      mended = [...mended, id];
      return taskReport();
    },
    async undoMend() {
      mended = mended.slice(0, -1);
      return taskReport();
    },
    async rows({ start, count, search, label, part }) {
      const found = rowsOf().filter(
        (row) =>
          (!part || row.part === part) &&
          (!label || row.label === label) &&
          (!search || row.text.toLowerCase().includes(search.toLowerCase())),
      );
      return { total: found.length, rows: found.slice(start, start + count) };
    },
    async readRow(row) {
      const found = rowsOf()[row]!;
      return view(row, found.text, found.label);
    },
    readText: async (text, text2) => view(-1, text2 ? `${text} ${text2}` : text, ''),
    planRun: async (recipe) => ({
      bytes: {
        weights: model.weightBytes,
        activations: 40_000_000,
        total: model.weightBytes + 40_000_000,
        largest: 20_000_000,
      },
      budget: { activations: 1.5e9, buffer: 2 ** 30 },
      microBatch: recipe.batchSize,
      recompute: 0,
      largestBatch: 512,
      learned: recipe.promptLength * model.width,
      frozen: model.parameters,
    }),
    async profileStep(recipe) {
      await wait(delay);
      return fakeProfile(recipe.batchSize);
    },
    async startRun(recipe, onEvent, { paused }) {
      await wait(delay / 4);
      const summary = newRun(recipe);
      stored.push(summary);
      return begin(summary, onEvent, paused);
    },
    async resumeRun(id, onEvent) {
      const summary = stored.find((r) => r.id === id)!;
      summary.resumable = false;
      return begin(summary, onEvent, false);
    },
    ...fakeTrials(stepsPerSecond),
    pause: async () => run?.pause(),
    resume: async () => run?.resume(),
    step: async () => run?.step(),
    stop: async () => run?.stop(),
    runs: async () => structuredClone(stored),
    async renameRun(id, name) {
      const found = stored.find((r) => r.id === id);
      if (found) found.name = name;
    },
    async deleteRun(id) {
      stored.splice(
        stored.findIndex((r) => r.id === id),
        1,
      );
    },
    async evaluate(prompt, part, _options, onProgress) {
      const asked = evaluationStops;
      await work('Measuring', 'examples', 120, onProgress);
      if (asked !== evaluationStops)
        throw { code: 'cancelled', message: 'Stopped.', remedy: 'Ask again.' } satisfies ErrorReport;
      return evaluation(prompt, part);
    },
    async stopEvaluation() {
      evaluationStops++;
    },
    async predict(text, _text2, prompts, { generate }) {
      await wait(delay / 20);
      return prompts.map((prompt) => {
        const scores = fakeScores(text, sample.labels, truthOf(text), skillOf(prompt));
        const label = scores.reduce((a, b) => (b.probability > a.probability ? b : a)).label;
        return { prompt, scores, label, ...(generate ? { generated: label } : {}) };
      });
    },
    async neighbours(prompt, count) {
      const summary = prompt.kind === 'run' ? stored.find((r) => r.id === prompt.run) : undefined;
      const words = ['fact', 'claim', 'lovely', 'truth', 'number', 'think', 'should', 'best', 'nobody'];
      return {
        tokens: Array.from({ length: summary?.recipe.promptLength ?? 20 }, (_, i) => ({
          norm: 12 + 3 * hash01(`n${i}`, 1),
          moved: Math.sqrt(summary?.step ?? 100) * (0.5 + hash01(`m${i}`, 7)),
          startedFrom: '▁positive',
          words: Array.from({ length: count }, (_, k) => ({
            word: `▁${words[(i * 3 + k) % words.length]}`,
            cosine: 0.46 - 0.05 * k,
          })),
        })),
        random: { mean: 0.26, p95: 0.29 },
      };
    },
    savedPrompts: async () => saved,
    async savePrompt(id, name) {
      const summary = stored.find((r) => r.id === id)!;
      const prompt: SavedPrompt = {
        ...fakeSaved,
        id: `saved-${Date.now()}`,
        name,
        length: summary.recipe.promptLength,
        accuracy: summary.evals.at(-1)?.accuracy,
      };
      saved = [...saved, prompt];
      return prompt;
    },
    async renamePrompt(id, name) {
      saved = saved.map((prompt) => (prompt.id === id ? { ...prompt, name } : prompt));
    },
    async deletePrompt(id) {
      deleted.push(...saved.filter((prompt) => prompt.id === id));
      saved = saved.filter((prompt) => prompt.id !== id);
    },
    async restorePrompt(id) {
      saved = [...saved, ...deleted.filter((prompt) => prompt.id === id)];
    },
    exportPrompt: async (_prompt, format) => ({
      name: `prompt.${format === 'peft' ? 'zip' : format}`,
      type: 'application/octet-stream',
      bytes: new Uint8Array([1, 2, 3]),
    }),
    exportScript: async (_prompt, format) => ({
      name: 'prompt.predict.py',
      type: 'text/x-python',
      bytes: new TextEncoder().encode(`# a script for ${format}`),
    }),
    async importPrompt(files) {
      if (files.some((file) => file.name.endsWith('.txt')))
        throw {
          code: 'bad-prompt',
          message: 'This file is no prompt.',
          where: files[0]!.name,
          remedy: 'Choose a .zip of PEFT, a .npy or a .json that Prelude saved.',
        } satisfies ErrorReport;
      const prompt = { ...fakeSaved, id: `saved-${Date.now()}`, name: files[0]!.name };
      saved = [...saved, prompt];
      return prompt;
    },
  };

  return new Proxy(engine as FakeEngine, {
    get(target, name) {
      if (name === 'calls') return calls;
      const method = target[name as keyof Engine] as ((...args: unknown[]) => unknown) | undefined;
      if (typeof method !== 'function') return undefined;
      return (...args: unknown[]) => {
        calls.push({ name: String(name), args });
        return method(...args);
      };
    },
  });
}
