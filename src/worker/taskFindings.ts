import { type Finding as DataFinding, examine, labelCounts } from '../data/index.ts';
import type { Tokenizer, VerbalizerIssue } from '../text/index.ts';
import type { Finding } from './protocol.ts';
import type { Layer } from './taskRows.ts';

/** A finding with what the doctor needs to mend it; only `finding` crosses to the page. */
export interface TaskFinding {
  finding: Finding;
  /** Where one press mends it. */
  source?: DataFinding;
  /** The mend as done, for the list of what was mended. */
  done?: string;
}

/** A label needs this many rows to be in each of the three parts. */
const FEW = 3;
/** More verbalizers of several tokens than this are told of in one sentence. */
const SINGLY = 3;

/** What the doctor finds in these rows; takes about a fifth of a second for 100,000 of them. */
export function rowFindings(layer: Layer, ownFiles: boolean): TaskFinding[] {
  const found = [...examine(layer.examples, layer.splits), ...rareLabels(layer, ownFiles)].map(asTaskFinding);
  for (const part of ['dev', 'test'] as const)
    if (layer.splits[part].length === 0)
      found.push({
        finding: {
          id: `empty-${part}`,
          severity: 'warning',
          message:
            part === 'dev'
              ? 'The dev part is empty: the best checkpoint cannot be told. Give it a share of the rows.'
              : 'The test part is empty: there is nothing to judge the prompt by. Give it a share of the rows.',
          rows: [],
        },
      });
  return found;
}

/** A finding of the data's own as one of the protocol, with a name that stays the same from one task report to the next. */
export function asTaskFinding(source: DataFinding): TaskFinding {
  const { severity, message, rows } = source;
  const id = [source.kind, source.mend === 'repair-encoding' ? 'repair' : undefined, source.label]
    .filter((part) => part !== undefined)
    .join(':');
  const verbs = source.mend && verbsOf(source);
  if (!verbs) return { finding: { id, severity, message, rows } };
  return { finding: { id, severity, message, rows, mend: verbs.mend }, source, done: verbs.done };
}

function verbsOf(source: DataFinding): { mend: string; done: string } {
  const n = source.examples.length;
  const rows = n === 1 ? '1 row' : `${n.toLocaleString('en')} rows`;
  const drop = (mend: string, what: string) => ({ mend, done: `${rows} removed: ${what}` });
  switch (source.kind) {
    case 'duplicate':
      return drop('Remove duplicates', 'duplicates');
    case 'conflict':
      return drop('Remove these rows', 'same text with different labels');
    case 'leak-test':
      return drop('Remove the copies outside test', 'copies of test texts');
    case 'leak-dev':
      return drop('Remove the copies from training', 'copies of dev texts');
    case 'unseen-label':
      return drop('Remove these rows', 'labels that training lacks');
    case 'no-letters':
      return drop('Remove these rows', 'no letters');
    case 'few-examples':
      return drop(n === 1 ? 'Remove this row' : 'Remove these rows', 'rare label');
    case 'label-spelling':
      return { mend: `Merge into "${source.label}"`, done: `${rows} relabelled "${source.label}"` };
    case 'encoding':
      return source.mend === 'repair-encoding'
        ? { mend: 'Repair letters', done: `${rows} with letters repaired` }
        : drop('Remove these rows', 'lost letters');
    case 'empty-text':
    case 'empty-label':
    case 'unbalanced':
      return drop('Remove these rows', 'incomplete');
  }
}

/** Labels that cannot be in each part; with own files only the training file is asked, and one row there is too few. */
function rareLabels(layer: Layer, ownFiles: boolean): DataFinding[] {
  const from = ownFiles ? layer.files.train : layer.examples.map((_, index) => index);
  const counts = labelCounts(from.map((index) => layer.examples[index]!));
  const rare = counts.filter(({ count }) => count < (ownFiles ? 2 : FEW));
  return rare.map(({ label, count }) => {
    const examples = from.filter((index) => layer.examples[index]!.label === label);
    return {
      kind: 'few-examples',
      severity: 'warning',
      message:
        count === 1
          ? `"${label}" has only 1 row: it can be learnt from or tested on, not both.`
          : `"${label}" has only ${count} rows: too few to be in the training, dev and test parts alike.`,
      rows: examples.map((index) => layer.examples[index]!.row),
      examples,
      mend: 'drop-rows',
      label,
    };
  });
}

/** What is worth saying about the words that stand for the labels. */
export function verbalizerFindings(issues: readonly VerbalizerIssue[]): Finding[] {
  const several = issues.filter(({ kind }) => kind === 'several-tokens');
  const single = several.length > SINGLY ? issues.filter(({ kind }) => kind !== 'several-tokens') : issues;
  const findings = single.map(
    (issue): Finding => ({
      id: ['verbalizer', issue.kind, ...issue.labels].join(':'),
      severity: issue.level === 'note' ? 'note' : 'warning',
      message: issue.message,
      rows: [],
    }),
  );
  if (several.length > SINGLY)
    findings.push({
      id: 'verbalizer:several-tokens',
      severity: 'note',
      message: `${several.length} labels are answered in several tokens. One common word each is learned faster.`,
      rows: [],
    });
  return findings;
}

/** Rows that are longer than the model is given; none where all fit. */
export function truncationFinding(
  rows: number[],
  of: number,
  maxTokens: number,
  longest: number,
): Finding | undefined {
  if (rows.length === 0) return undefined;
  const share = (100 * rows.length) / of;
  const percent = share < 1 ? 'less than 1 %' : `${share.toFixed(0)} %`;
  const lose = rows.length === 1 ? 'row is' : 'rows are';
  return {
    id: 'truncated',
    severity: share >= 5 ? 'warning' : 'note',
    message: `${rows.length.toLocaleString('en')} ${lose} longer than ${maxTokens} tokens (${percent}): the end is cut off. The longest has ${longest.toLocaleString('en')}.`,
    rows,
  };
}

/** Signs that are named where a tokenizer has no token for them, and rows that are looked through for them. */
const NAMED_SIGNS = 6;
const LOOKED_THROUGH = 100;

/** Rows of which the model reads a part as its unknown token; none where it has a token for everything. */
export function unknownFinding(
  examples: readonly { row: number; text: string; ids: readonly number[] }[],
  tokenizer: Tokenizer,
): Finding | undefined {
  const { unkId, eosId } = tokenizer;
  // Vocabularies of bytes know every sign; some of them name the end token as the unknown one.
  if (unkId === undefined || unkId === eosId) return undefined;
  const found = examples.filter(({ ids }) => ids.includes(unkId));
  if (found.length === 0) return undefined;
  const signs = new Set(found.slice(0, LOOKED_THROUGH).flatMap(({ text }) => [...text]));
  const unknown = [...signs].filter((sign) => tokenizer.encode(sign).includes(unkId));
  const named = unknown.slice(0, NAMED_SIGNS).join(' ');
  const share = found.length / examples.length;
  return {
    id: 'unknown-tokens',
    severity: share >= 0.05 ? 'warning' : 'note',
    message:
      `${found.length === 1 ? '1 row holds' : `${found.length.toLocaleString('en')} rows hold`} signs that this model has no token for` +
      `${named && ` (${named}${unknown.length > NAMED_SIGNS ? ' and others' : ''})`}: it reads ${tokenizer.token(unkId)} there. ` +
      'A model that was trained on this language reads them.',
    rows: found.map(({ row }) => row),
  };
}
