import {
  checkLabels,
  combineSplits,
  type Example,
  type Finding,
  keepSplits,
  labelCounts,
  makeExamples,
  mend,
  readTable,
  type Splits,
  split,
  splitOrdered,
  type Table,
} from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import type { TaskSettings } from './protocol.ts';

/** The labelled rows of a task's files, before anything is mended. Rows of own dev and test files count on after the table's. */
export interface TaskFiles {
  /** Same key, same rows: what of the settings decides them. */
  key: string;
  examples: Example[];
  /** Which file each came from. */
  files: Splits;
  /** Whether dev and test have files of their own. */
  own: { dev: boolean; test: boolean };
  /** Rows in all files, used or not. */
  rows: number;
  /** Rows that were left out because something is missing in them. */
  leftOut: LeftOut[];
}

/** `file` is the own dev or test file that it is about; undefined for the table. */
export interface LeftOut {
  file: string | undefined;
  finding: Finding;
}

/** One state of the rows: as read, or after one more mend. */
export interface Layer {
  examples: readonly Example[];
  files: Splits;
  splits: Splits;
  /** The settings that the split was made by. */
  splitKey: string;
  /** What made it from the layer below. */
  mended?: { id: string; words: string };
}

/** What of the settings decides which rows there are. */
export function filesKey({ roles, devFile, testFile }: TaskSettings): string {
  // A file that crosses to a worker is another object each time.
  const of = (file: File | undefined) => file && [file.name, file.size, file.lastModified];
  return JSON.stringify([roles.text, roles.text2, roles.label, of(devFile), of(testFile)]);
}

/**
 * Makes examples of the table and of the parts that have files of their own (same columns).
 * @throws PreludeError 'bad-table', 'bad-labels' with the file's name; 'cancelled'
 */
export async function readTaskFiles(
  table: Table,
  settings: TaskSettings,
  signal: AbortSignal,
): Promise<TaskFiles> {
  const { roles, devFile, testFile } = settings;
  const leftOut: LeftOut[] = [];
  let rows = 0;
  const take = (from: Table, anyLabels: boolean, file?: string): Example[] => {
    const offset = rows;
    const { examples, findings } = makeExamples(from, roles, { anyLabels });
    rows += from.rows.length;
    // Rare labels are looked for after each mend, not here.
    for (const finding of findings.filter(({ kind }) => kind !== 'few-examples'))
      leftOut.push({
        file,
        finding: {
          ...finding,
          message: file === undefined ? finding.message : `${file}: ${finding.message}`,
          rows: finding.rows.map((row) => row + offset),
        },
      });
    return offset === 0 ? examples : examples.map((example) => ({ ...example, row: example.row + offset }));
  };
  const takeFile = async (file: File | undefined): Promise<Example[]> => {
    if (!file) return [];
    const examples = take(await readTable({ name: file.name, data: file }, { signal }), true, file.name);
    if (examples.length > 0) return examples;
    throw new PreludeError('bad-table', `${file.name} has no row with both a text and a label.`, {
      where: file.name,
      remedy: 'Choose a file with the same columns as the training file.',
    });
  };
  const train = take(table, false);
  const dev = await takeFile(devFile);
  const test = await takeFile(testFile);
  const { examples, splits: files } = combineSplits(train, dev, test);
  checkLabels(examples, table.name, roles.label);
  const own = { dev: devFile !== undefined, test: testFile !== undefined };
  return { key: filesKey(settings), examples, files, own, rows, leftOut };
}

/** The rows as they were read, split as the settings say. */
export function firstLayer(files: TaskFiles, settings: TaskSettings): Layer {
  return splitLayer(
    { examples: files.examples, files: files.files, splits: files.files, splitKey: '' },
    files.own,
    settings,
  );
}

/** The layer split anew where the settings ask for another split than its own; else the same object. */
export function splitLayer(layer: Layer, own: TaskFiles['own'], settings: TaskSettings): Layer {
  const splitKey = JSON.stringify(settings.split);
  if (layer.splitKey === splitKey) return layer;
  const { files, examples } = layer;
  const divided = divide(
    files.train.map((index) => examples[index]!),
    own,
    settings.split,
  );
  const back = (part: number[]) => part.map((index) => files.train[index]!);
  const splits: Splits = {
    train: back(divided.train),
    dev: own.dev ? files.dev : back(divided.dev),
    test: own.test ? files.test : back(divided.test),
  };
  return { ...layer, splits, splitKey };
}

/** The share of a part with a file of its own goes to training. */
function divide(examples: readonly Example[], own: TaskFiles['own'], how: TaskSettings['split']): Splits {
  if (how.kind === 'last-quarter')
    return splitOrdered(examples, {
      dev: own.dev ? 0 : how.dev,
      test: own.test ? 0 : 0.25,
      seed: how.seed,
    });
  const train = how.train + (own.dev ? how.dev : 0) + (own.test ? how.test : 0);
  return split(examples, {
    train,
    dev: own.dev ? 0 : how.dev,
    test: own.test ? 0 : how.test,
    seed: how.seed,
  });
}

/** The layer above after one mend: the parts stay as they were, without what was dropped. */
export function mendLayer(layer: Layer, finding: Finding, mended: { id: string; words: string }): Layer {
  return {
    ...layer,
    examples: mend(layer.examples, finding),
    files: keepSplits(layer.files, finding),
    splits: keepSplits(layer.splits, finding),
    mended,
  };
}

/**
 * Refuses rows that mending has left too few of.
 * @throws PreludeError 'bad-labels'
 */
export function checkLayer(layer: Layer, name: string, column: string): void {
  if (layer.splits.train.length === 0)
    throw new PreludeError('bad-labels', 'No row is left to train on.', {
      where: name,
      remedy: 'Undo the last change, or choose other files for dev and test.',
    });
  checkLabels(
    layer.splits.train.map((index) => layer.examples[index]!),
    name,
    column,
  );
}

/** Labels by how many examples they have in the parts, ties by name. */
export function labelsOf(layer: Layer): { label: string; count: number }[] {
  const { train, dev, test } = layer.splits;
  return labelCounts([...train, ...dev, ...test].map((index) => layer.examples[index]!));
}
