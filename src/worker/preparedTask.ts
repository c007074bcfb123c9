import { majorityBaseline } from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import {
  answerJoiner,
  binLengths,
  inspectVerbalizers,
  makeVerbalizers,
  parseTemplate,
  render,
  type Template,
  type Tokenizer,
  truncate,
} from '../text/index.ts';
import type { Speedometer } from './progress.ts';
import type { LabelReport, TaskReport, TaskSettings } from './protocol.ts';
import {
  asTaskFinding,
  type TaskFinding,
  truncationFinding,
  unknownFinding,
  verbalizerFindings,
} from './taskFindings.ts';
import { checkLayer, type Layer, labelsOf, type TaskFiles } from './taskRows.ts';
import { fieldsOf, type TokenCache } from './taskTokens.ts';

export type Part = 'train' | 'dev' | 'test';
const PARTS = ['train', 'dev', 'test'] as const;
/** Bars of the histogram of lengths, at most. */
const BINS = 24;
/** Least and most that `maxTokens` may be; the least holds one word and the end token. */
const TOKENS = { least: 2, most: 4096 };

/** What of the model the data need. */
export interface TextModel {
  tokenizer: Tokenizer;
  /** A decoder: its answer goes on with its input. */
  continues?: boolean;
}

export interface PreparedExample {
  /** Row of the table; rows of own dev and test files count on after it. */
  row: number;
  part: Part;
  text: string;
  text2?: string;
  /** Index into the task's labels. */
  label: number;
  /** The template with the row's texts, at most `maxTokens` long, with what the tokenizer adds (T5: `</s>` last). */
  ids: number[];
}

/** A task ready to train on: all that the trainer and the evaluation need to know of the data. */
export interface PreparedTask {
  settings: TaskSettings;
  dataName: string;
  /** In the order of the report's labels: by count, ties by name. */
  labels: string[];
  /** One for each label, in the labels' order; `ids` with the end token where `settings.appendEos`. */
  verbalizers: { label: string; text: string; ids: number[] }[];
  examples: PreparedExample[];
  /** Indices into `examples`. */
  train: number[];
  dev: number[];
  test: number[];
  /** Ids of the findings that were mended, oldest first: with the settings and the files they decide the examples. */
  mended: string[];
  /** Accuracy of always answering the commonest training label. */
  majority: TaskReport['majority'];
  tokenizer: Tokenizer;
  /**
   * Token ids of any text, as those of the examples. `template` is the task's when left out; another one, such as the written
   * prompt, gets `maxTokens` and its own length, so that it cuts no more of the text than the task's does.
   * @throws PreludeError 'bad-template'
   */
  encodeText(text: string, text2?: string, template?: string): number[];
  /** Token ids of an answer behind the task's template, or another one; without the end token. */
  encodeAnswer(word: string, template?: string): number[];
}

/** A prepared task with what the desk shows of it. */
export interface TaskState {
  task: PreparedTask;
  report: TaskReport;
  /** Those of the report that one press mends, by id. */
  mends: Map<string, TaskFinding>;
  /** A text in the task's template, cut to `maxTokens`. */
  read(text: string, text2?: string): Reading;
}

/** A text as the model reads it. */
export interface Reading {
  ids: number[];
  truncated: boolean;
}

/**
 * Refuses settings that are off before any work is done.
 * @throws PreludeError 'bad-template', 'bad-recipe'
 */
export function checkSettings(settings: TaskSettings): Template {
  const known = settings.roles.text2 === undefined ? ['text'] : ['text', 'text2'];
  if (settings.writtenPrompt.trim() !== '') parseTemplate(settings.writtenPrompt, known);
  const { maxTokens } = settings;
  if (!Number.isInteger(maxTokens) || maxTokens < TOKENS.least || maxTokens > TOKENS.most)
    throw new PreludeError('bad-recipe', `An input of at most ${maxTokens} tokens cannot be made.`, {
      where: 'tokens at most',
      remedy: `Choose ${TOKENS.least} to ${TOKENS.most.toLocaleString('en')} tokens; 48 to 128 are usual.`,
    });
  return parseTemplate(settings.template, known);
}

export interface PrepareInput {
  dataName: string;
  files: TaskFiles;
  layers: readonly Layer[];
  /** The doctor's findings on the top layer. */
  findings: readonly TaskFinding[];
  settings: TaskSettings;
  model: TextModel;
  cache: TokenCache;
  onProgress: Speedometer;
  signal: AbortSignal;
}

/** @throws PreludeError 'bad-labels', 'bad-template', 'cancelled' */
export async function prepareTask(input: PrepareInput): Promise<TaskState> {
  const { settings, files, layers } = input;
  const { tokenizer, continues } = input.model;
  const template = checkSettings(settings);
  const layer = layers.at(-1)!;
  checkLayer(layer, input.dataName, settings.roles.label);

  const counts = labelsOf(layer);
  const labels = counts.map(({ label }) => label);
  const words = labels.map((label) => ({ label, words: [wordOf(label, settings)] }));
  const joinerOf = (source: string) => (continues ? answerJoiner(tokenizer, source) : '');
  const options = { appendEos: settings.appendEos, joiner: joinerOf(settings.template) };
  const verbalizers = makeVerbalizers(words, tokenizer, options);

  const indexOf = new Map(labels.map((label, index) => [label, index]));
  const placed = PARTS.flatMap((part) => layer.splits[part].map((index) => ({ part, index }))).sort(
    (a, b) => a.index - b.index,
  );
  const chosen = placed.map(({ index }) => layer.examples[index]!);
  const encoded = await input.cache.encode(chosen, template, tokenizer, settings.maxTokens, input);
  const examples = chosen.map(
    (example, i): PreparedExample => ({
      row: example.row,
      part: placed[i]!.part,
      ...fieldsOf(example),
      text: example.text,
      label: indexOf.get(example.label)!,
      ids: encoded[i]!.ids,
    }),
  );
  const of = (part: Part) => examples.flatMap((example, i) => (example.part === part ? [i] : []));
  const parts = { train: of('train'), dev: of('dev'), test: of('test') };

  const lengths: number[] = [];
  for (const { length } of encoded) lengths[length] = (lengths[length] ?? 0) + 1;
  const lengthCounts = Array.from(lengths, (count) => count ?? 0);
  const bins = binLengths(lengthCounts, BINS);
  const longest = Math.max(0, lengthCounts.length - 1);
  const cut = examples.flatMap(({ row }, i) => (encoded[i]!.length > settings.maxTokens ? [row] : []));
  const truncated = truncationFinding(cut, examples.length, settings.maxTokens, longest);
  const unknown = unknownFinding(examples, tokenizer);

  const leftOut = files.leftOut.map(({ file, finding }) => {
    const shown = asTaskFinding(finding).finding;
    return file === undefined ? shown : { ...shown, id: `${shown.id}:${file}` };
  });
  const { issues } = inspectVerbalizers(words, tokenizer, options);
  const majority = majorityOf(labels, examples, parts);
  const mended = layers.flatMap((each) => (each.mended ? [each.mended] : []));
  const bare = settings.appendEos ? -1 : undefined;
  const read = textReader(settings, template, tokenizer);
  return {
    read,
    mends: new Map(input.findings.filter(({ source }) => source).map((each) => [each.finding.id, each])),
    report: {
      settings,
      labels: counts.map(
        ({ label, count }, i): LabelReport => ({
          label,
          count,
          word: verbalizers[i]!.text,
          tokens: verbalizers[i]!.ids.slice(0, bare).map((id) => tokenizer.token(id)),
        }),
      ),
      counts: {
        examples: examples.length,
        train: parts.train.length,
        dev: parts.dev.length,
        test: parts.test.length,
        leftOut: files.rows - examples.length,
      },
      lengths: {
        binWidth: bins[0] ? bins[0].to - bins[0].from + 1 : 1,
        counts: bins.map(({ count }) => count),
        longest,
        truncated: cut.length,
      },
      findings: [
        ...input.findings.map(({ finding }) => finding),
        ...(truncated ? [truncated] : []),
        ...(unknown ? [unknown] : []),
        ...verbalizerFindings(issues),
        ...leftOut,
      ],
      mended: mended.map(({ words: done }) => done),
      majority,
    },
    task: {
      settings,
      dataName: input.dataName,
      labels,
      verbalizers,
      examples,
      ...parts,
      mended: mended.map(({ id }) => id),
      majority,
      tokenizer,
      encodeText: (text, text2, other) => read(text, text2, other).ids,
      encodeAnswer: (word, other = settings.template) => tokenizer.encode(joinerOf(other) + word),
    },
  };
}

/** The label's own word; labels not named stand for themselves. A label may be called "constructor". */
function wordOf(label: string, { verbalizers }: TaskSettings): string {
  const word = Object.hasOwn(verbalizers, label) ? verbalizers[label]!.trim() : '';
  return word === '' ? label : word;
}

function majorityOf(
  labels: readonly string[],
  examples: readonly PreparedExample[],
  parts: Record<Part, number[]>,
): TaskReport['majority'] {
  const truth = (part: Part) => parts[part].map((index) => examples[index]!.label);
  const dev = majorityBaseline(truth('train'), truth('dev'));
  const test = majorityBaseline(truth('train'), truth('test'));
  return { label: labels[dev?.label ?? 0]!, dev: dev?.accuracy ?? 0, test: test?.accuracy ?? 0 };
}

function textReader(
  settings: TaskSettings,
  own: Template,
  tokenizer: Tokenizer,
): (text: string, text2?: string, source?: string) => Reading {
  const known = settings.roles.text2 === undefined ? ['text'] : ['text', 'text2'];
  const templates = new Map([[own.source, { template: own, limit: settings.maxTokens }]]);
  const of = (source: string) => {
    let entry = templates.get(source);
    if (!entry) {
      const template = parseTemplate(source, known);
      const words = render(template, { text: '', text2: '' });
      entry = { template, limit: settings.maxTokens + tokenizer.encode(words).length };
      templates.set(source, entry);
    }
    return entry;
  };
  return (text, text2, source = own.source) => {
    const { template, limit } = of(source);
    const fields = fieldsOf({ text: text.trim(), text2: text2?.trim() });
    const whole = tokenizer.encode(render(template, fields), { special: true });
    return { ids: truncate(whole, limit, tokenizer.eosId), truncated: whole.length > limit };
  };
}
