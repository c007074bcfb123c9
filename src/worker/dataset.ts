import {
  filterRows,
  guessRoles,
  loadSampleIndex,
  readTable,
  type Sample,
  type SampleIndex,
  type Table,
} from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import {
  checkSettings,
  type PreparedTask,
  prepareTask,
  type TaskState,
  type TextModel,
} from './preparedTask.ts';
import { speedometer } from './progress.ts';
import type {
  DataReport,
  DataSource,
  OnProgress,
  ReadOptions,
  Roles,
  RowPage,
  RowQuery,
  SampleCard,
  TaskReport,
  TaskSettings,
  TokenView,
} from './protocol.ts';
import { rowFindings, type TaskFinding } from './taskFindings.ts';
import {
  filesKey,
  firstLayer,
  type Layer,
  mendLayer,
  readTaskFiles,
  splitLayer,
  type TaskFiles,
} from './taskRows.ts';
import { suggestSettings } from './taskSuggestion.ts';
import { createTokenCache, fieldsOf } from './taskTokens.ts';

export type { PreparedExample, PreparedTask, TextModel } from './preparedTask.ts';

/** Rows of the preview before roles are chosen. */
const HEAD = 8;
const FORMATS = { csv: 'CSV', tsv: 'TSV', jsonl: 'JSON Lines', json: 'JSON' } as const;

/**
 * The data station's half of the engine: holds one table and one prepared task at most. What fails leaves what was there
 * before. Errors are PreludeErrors: 'bad-table', 'bad-labels', 'bad-template', 'bad-recipe', 'download', and 'cancelled' for
 * work that newer work has made pointless.
 */
export interface DatasetDesk {
  listSamples(): Promise<SampleCard[]>;
  /** Reads a table and drops the one before, with its task. */
  openData(source: DataSource, options: ReadOptions, onProgress: OnProgress): Promise<DataReport>;
  /** With a model the verbalizers suit its tokenizer, and the limit of tokens the texts' lengths. */
  suggestTask(model?: TextModel, roles?: Roles): Promise<TaskSettings>;
  setTask(settings: TaskSettings, model: TextModel, onProgress: OnProgress): Promise<TaskReport>;
  /** Breaks off the reading or preparing that goes on: it rejects 'cancelled', and what was there before stays. */
  cancel(): void;
  /** Does what the finding's button says; a finding that is gone already changes nothing. */
  mend(findingId: string): Promise<TaskReport>;
  undoMend(): Promise<TaskReport>;
  rows(query: RowQuery): Promise<RowPage>;
  readRow(row: number): Promise<TokenView>;
  /** Any text as the task's template gives it to the model; its row is -1 and its label empty. */
  readText(text: string, text2?: string): Promise<TokenView>;
  /** The task for the trainer; undefined while none is set. Stays as it is until another is set. */
  task(): PreparedTask | undefined;
}

interface Opened {
  table: Table;
  name: string;
  sample?: Sample;
}

interface Committed extends TaskState {
  files: TaskFiles;
  layers: Layer[];
  model: TextModel;
}

/** @param options.samplesUrl absolute address of the folder with the samples and their index */
export function createDatasetDesk(options: { samplesUrl: string; fetch?: typeof fetch }): DatasetDesk {
  const base = options.samplesUrl.replace(/\/?$/, '/');
  const cache = createTokenCache();
  const findingsOf = new WeakMap<Layer, TaskFinding[]>();
  let index: SampleIndex | undefined;
  let opened: Opened | undefined;
  let committed: Committed | undefined;
  /** The reading or preparing that goes on; newer work cancels it. */
  let current = new AbortController();
  let settled: Promise<unknown> = Promise.resolve();
  /** The mends that wait for their turn: each acts on what the one before has left. */
  let changes: Promise<unknown> = Promise.resolve();
  let found: { of: PreparedTask; key: string; indices: readonly number[] } | undefined;

  /** Begins work that takes the place of whatever goes on. */
  const replacing = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    current.abort();
    const controller = new AbortController();
    current = controller;
    const result = work(controller.signal);
    settled = result.catch(() => undefined);
    return result;
  };

  const get = async (file: string): Promise<Response> => {
    const url = new URL(file, base).href;
    const failed = (message: string, cause?: unknown) =>
      new PreludeError('download', `${file}: ${message}`, {
        where: url,
        remedy: 'Check the connection, then try again.',
        cause,
      });
    const response = await (options.fetch ?? fetch)(url).catch((cause: unknown) => {
      throw failed('the server could not be reached.', cause);
    });
    if (!response.ok) throw failed(`the server answered ${response.status}.`);
    return response;
  };
  const samples = async (): Promise<SampleIndex> => {
    index ??= await loadSampleIndex(async () => (await get('index.json')).json());
    return index;
  };

  const open = async (
    source: DataSource,
  ): Promise<{ name: string; title: string; data: Blob; sample?: Sample }> => {
    if (source.kind === 'file') return { name: source.file.name, title: source.file.name, data: source.file };
    const { samples: all } = await samples();
    const sample = all.find(({ id }) => id === source.id);
    if (!sample)
      throw new PreludeError('download', `There is no sample "${source.id}".`, {
        where: source.id,
        remedy: `Choose among ${all.map(({ title }) => title).join(', ')}.`,
      });
    return { name: sample.file, title: sample.title, data: await (await get(sample.file)).blob(), sample };
  };

  const needOpened = (): Opened => {
    if (opened) return opened;
    throw new PreludeError('bad-table', 'There are no data yet.', {
      remedy: 'Drop a file or pick a sample first.',
    });
  };
  const needTask = (): Committed => {
    if (committed) return committed;
    needOpened();
    throw new PreludeError('bad-labels', 'No task has been set for these data.', {
      remedy: 'Choose the columns for text and label first.',
    });
  };

  const findings = (layer: Layer, files: TaskFiles): TaskFinding[] => {
    const known = findingsOf.get(layer) ?? rowFindings(layer, files.own.dev || files.own.test);
    findingsOf.set(layer, known);
    return known;
  };

  /** Prepares the task on these layers and puts it in the place of the one before. */
  const commit = async (
    { name }: Opened,
    files: TaskFiles,
    layers: Layer[],
    settings: TaskSettings,
    model: TextModel,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<TaskReport> => {
    const top = splitLayer(layers.at(-1)!, files.own, settings);
    // The doctor takes its time with 100,000 rows: nobody should wait for it on behalf of settings that are old already.
    await new Promise((resolve) => setTimeout(resolve));
    if (signal.aborted) throw superseded();
    const state = await prepareTask({
      dataName: name,
      files,
      layers: [...layers.slice(0, -1), top],
      findings: findings(top, files),
      settings,
      model,
      cache,
      onProgress: speedometer('Reading the texts as tokens', 'examples', onProgress),
      signal,
    });
    if (signal.aborted) throw superseded();
    committed = { ...state, files, layers: [...layers.slice(0, -1), top], model };
    return state.report;
  };

  /** Another state of the same rows, once what goes on has ended; one change after the other. */
  const change = (layersOf: (now: Committed) => Layer[] | undefined): Promise<TaskReport> => {
    const result = changes.then(async () => {
      await settled;
      const now = needTask();
      const layers = layersOf(now);
      if (!layers) return now.report;
      const { settings } = now.task;
      return replacing((signal) =>
        commit(needOpened(), now.files, layers, settings, now.model, () => undefined, signal),
      );
    });
    changes = result.catch(() => undefined);
    return result;
  };

  const viewOf = (
    { read, model }: Committed,
    text: string,
    text2?: string,
  ): Omit<TokenView, 'row' | 'label'> => {
    const { ids, truncated } = read(text, text2);
    return { tokens: ids.map((id) => model.tokenizer.token(id)), truncated };
  };

  return {
    async listSamples() {
      const { samples: all } = await samples();
      return all.map(({ id, title, shows, rows, labels }) => ({
        id,
        title,
        about: shows,
        rows,
        labels: labels.map(({ label }) => label),
      }));
    },

    openData: (source, read, onProgress) =>
      replacing(async (signal) => {
        const { name, title, data, sample } = await open(source);
        const report = speedometer(`Reading ${name}`, 'bytes', onProgress);
        const table = await readTable(
          { name, data },
          { ...read, signal, onProgress: ({ bytes, totalBytes }) => report(bytes, totalBytes) },
        );
        const guessed = sample?.roles ?? guessRoles(table);
        if (signal.aborted) throw superseded();
        opened = { table, name: title, ...(sample ? { sample } : {}) };
        committed = undefined;
        return reportOf(opened, guessed);
      }),

    async suggestTask(model, roles) {
      const { table, sample } = needOpened();
      const chosen = roles ?? sample?.roles ?? guessRoles(table);
      const asMade = sample && sameRoles(sample.roles, chosen);
      return suggestSettings(table, chosen, asMade ? sample : undefined, model);
    },

    setTask: (settings, model, onProgress) =>
      replacing(async (signal) => {
        const data = needOpened();
        checkSettings(settings);
        const known = committed?.files.key === filesKey(settings) ? committed : undefined;
        const files = known?.files ?? (await readTaskFiles(data.table, settings, signal));
        const layers = known?.layers ?? [firstLayer(files, settings)];
        return commit(data, files, layers, settings, model, onProgress, signal);
      }),

    cancel: () => current.abort(),

    mend: (findingId) =>
      change(({ layers, mends }) => {
        const { source, done, finding } = mends.get(findingId) ?? {};
        if (!source || !finding) return undefined;
        return [
          ...layers,
          mendLayer(layers.at(-1)!, source, { id: finding.id, words: done ?? finding.message }),
        ];
      }),

    undoMend: () => change(({ layers }) => (layers.length > 1 ? layers.slice(0, -1) : undefined)),

    async rows(query) {
      const { task } = needTask();
      const { examples, labels } = task;
      const key = JSON.stringify([query.search, query.label, query.part]);
      if (found?.of !== task || found.key !== key) found = { of: task, key, indices: search(task, query) };
      const { indices } = found;
      return {
        total: indices.length,
        rows: indices.slice(query.start, query.start + query.count).map((i) => {
          const { row, label, part, ...texts } = examples[i]!;
          return { row, ...fieldsOf(texts), text: texts.text, label: labels[label]!, part };
        }),
      };
    },

    async readRow(row) {
      const now = needTask();
      const example = now.task.examples.find((each) => each.row === row);
      if (!example)
        throw new PreludeError('bad-table', `Row ${row + 1} is in none of the parts.`, {
          where: `row ${row + 1}`,
          remedy: 'Choose a row of the list.',
        });
      return { row, label: now.task.labels[example.label]!, ...viewOf(now, example.text, example.text2) };
    },

    async readText(text, text2) {
      return { row: -1, label: '', ...viewOf(needTask(), text, text2) };
    },

    task: () => committed?.task,
  };
}

/** Indices of the examples that a query asks for, page aside. */
function search({ examples, labels }: PreparedTask, { search: words = '', label, part }: RowQuery): number[] {
  const named = examples.map((example) => ({ ...example, label: labels[example.label]! }));
  return filterRows(named, words).filter(
    (i) =>
      (label === undefined || named[i]!.label === label) && (part === undefined || named[i]!.part === part),
  );
}

function reportOf({ table, name }: Opened, guessedRoles: Roles): DataReport {
  return {
    name,
    format: FORMATS[table.format],
    ...(table.delimiter === '' ? {} : { delimiter: table.delimiter }),
    encoding: table.encoding,
    header: table.header,
    columns: table.columns,
    rows: table.rows.length,
    warnings: table.warnings.map(({ message }) => message),
    head: table.rows.slice(0, HEAD),
    guessedRoles,
  };
}

function sameRoles(a: Roles, b: Roles): boolean {
  return a.text === b.text && a.text2 === b.text2 && a.label === b.label;
}

function superseded(): PreludeError {
  return new PreludeError('cancelled', 'Newer settings have taken the place of these.', {
    remedy: 'Nothing: the newer ones are used.',
  });
}
