/** Lists of outcomes: filtered, sorted, compared, written as CSV. Plain functions. */
import Papa from 'papaparse';
import { type Comparison, compare, wilsonInterval } from '../../../data/index.ts';
import type { Evaluation } from '../../../worker/protocol.ts';

export type Outcome = Evaluation['outcomes'][number];

/** A cell of the confusion matrix: indices into the labels; `predicted` is `labels.length` for answers that are no label. */
export interface Cell {
  truth: number;
  predicted: number;
}
export type Order = 'row' | 'surest' | 'least-sure';
export interface OutcomeFilter {
  show: 'wrong' | 'right' | 'all';
  cell?: Cell;
  slice?: Pick<Slice, 'has'>;
  search: string;
  order: Order;
}

export function isRight(outcome: Outcome): boolean {
  return outcome.predicted === outcome.label;
}

/** Whether the model wrote its answers freely, so that some may be no label. */
export function isFree(outcomes: readonly Outcome[]): boolean {
  return outcomes.some((outcome) => outcome.generated !== undefined);
}

/** The answer as it is shown: the label, or what was written in its place. */
export function answerOf({ predicted, generated }: Pick<Outcome, 'predicted' | 'generated'>): string {
  if (predicted !== '') return predicted;
  return generated ? `“${generated}”` : 'nothing';
}

export function selectOutcomes(
  { outcomes, labels }: Pick<Evaluation, 'outcomes' | 'labels'>,
  { show, cell, slice, search, order }: OutcomeFilter,
): Outcome[] {
  const wanted = search.trim().toLowerCase();
  const inCell = (outcome: Outcome) => {
    if (!cell) return true;
    const predicted = labels.indexOf(outcome.predicted);
    return (
      outcome.label === labels[cell.truth] && (predicted < 0 ? labels.length : predicted) === cell.predicted
    );
  };
  const found = outcomes.filter(
    (outcome) =>
      // A cell says already whether its rows are right.
      (cell || show === 'all' || isRight(outcome) === (show === 'right')) &&
      inCell(outcome) &&
      (!slice || slice.has(outcome)) &&
      (wanted === '' || `${outcome.text}\n${outcome.text2 ?? ''}`.toLowerCase().includes(wanted)),
  );
  if (order === 'row') return found;
  const sign = order === 'surest' ? -1 : 1;
  return found.sort((a, b) => sign * (a.probability - b.probability));
}

/** Every outcome as a line of a CSV file; rows are numbered from 1, as the studio shows them. */
export function outcomesCsv({ outcomes }: Pick<Evaluation, 'outcomes'>): string {
  const pair = outcomes.some((outcome) => outcome.text2 !== undefined);
  const free = isFree(outcomes);
  return Papa.unparse(
    outcomes.map((outcome) => ({
      row: outcome.row + 1,
      text: outcome.text,
      ...(pair && { text2: outcome.text2 ?? '' }),
      label: outcome.label,
      predicted: outcome.predicted,
      right: isRight(outcome) ? 1 : 0,
      probability: outcome.probability,
      ...(free && { generated: outcome.generated ?? '' }),
    })),
  );
}

/** One row with both answers. */
export interface PairedOutcome {
  first: Outcome;
  second: Outcome;
}
export interface Paired {
  /** Rows that both were asked. */
  n: number;
  bothRight: number;
  bothWrong: number;
  /** Rows to which they answer differently, in the part's order. */
  differ: PairedOutcome[];
  comparison: Comparison;
}

/** Two evaluations on the same rows; rows that only one of them has are left out. */
export function pairOutcomes(
  first: Pick<Evaluation, 'outcomes'>,
  second: Pick<Evaluation, 'outcomes'>,
): Paired {
  const byRow = new Map(second.outcomes.map((outcome) => [outcome.row, outcome]));
  const pairs = first.outcomes.flatMap((outcome): PairedOutcome[] => {
    const other = byRow.get(outcome.row);
    return other ? [{ first: outcome, second: other }] : [];
  });
  const right = pairs.map(() => 1);
  return {
    n: pairs.length,
    bothRight: pairs.filter((pair) => isRight(pair.first) && isRight(pair.second)).length,
    bothWrong: pairs.filter((pair) => !isRight(pair.first) && !isRight(pair.second)).length,
    differ: pairs.filter((pair) => pair.first.predicted !== pair.second.predicted),
    comparison: compare(
      right,
      pairs.map((pair) => Number(isRight(pair.first))),
      pairs.map((pair) => Number(isRight(pair.second))),
    ),
  };
}

/** Who is ahead and by how much, as shares; the interval below zero says that it may be the other. */
export function leadOf({ difference, interval }: Pick<Comparison, 'difference' | 'interval'>): {
  ahead: 'first' | 'second' | 'neither';
  by: number;
  low: number;
  high: number;
} {
  if (difference < 0)
    return { ahead: 'first', by: -difference, low: 0 - interval.high, high: 0 - interval.low };
  return { ahead: difference > 0 ? 'second' : 'neither', by: difference, ...interval };
}

/** A part of the rows, how often they are answered rightly, and how that is known. */
export interface Slice {
  id: string;
  name: string;
  /** Which rows it has; for listing them. */
  has: (outcome: Outcome) => boolean;
  n: number;
  accuracy: number;
  /** Wilson's 95 % interval. */
  low: number;
  high: number;
}

export function sliceOf(
  outcomes: readonly Outcome[],
  { id, name, has }: Pick<Slice, 'id' | 'name' | 'has'>,
): Slice {
  const own = outcomes.filter(has);
  const right = own.filter(isRight).length;
  return {
    id,
    name,
    has,
    n: own.length,
    accuracy: own.length ? right / own.length : Number.NaN,
    ...(own.length ? wilsonInterval(right, own.length) : { low: 0, high: 1 }),
  };
}

/** Quarters of the rows by their number of words, both texts together; fewer where many rows are equally long. */
export function slicesByLength(outcomes: readonly Outcome[]): Slice[] {
  const sized = outcomes.map(wordsOf).sort((a, b) => a - b);
  const edges = [0.25, 0.5, 0.75, 1].map((share) => sized[Math.ceil(share * sized.length) - 1] ?? 0);
  const uppers = sized.length ? [...new Set(edges)] : [];
  return uppers.map((to, i) => {
    const above = uppers[i - 1] ?? -1;
    const from = sized.find((words) => words > above) ?? to;
    return sliceOf(outcomes, {
      id: `length ${from}`,
      name: from === to ? `${from} ${from === 1 ? 'word' : 'words'}` : `${from} to ${to} words`,
      has: (outcome) => wordsOf(outcome) > above && wordsOf(outcome) <= to,
    });
  });
}

/** One for each true label. */
export function slicesByLabel({ outcomes, labels }: Pick<Evaluation, 'outcomes' | 'labels'>): Slice[] {
  return labels.map((label) =>
    sliceOf(outcomes, { id: `label ${label}`, name: label, has: (outcome) => outcome.label === label }),
  );
}

/** Rows with these words in them, and those without. */
export function slicesByWords(outcomes: readonly Outcome[], words: string): Slice[] {
  const wanted = words.trim().toLowerCase();
  const has = (outcome: Outcome) => `${outcome.text}\n${outcome.text2 ?? ''}`.toLowerCase().includes(wanted);
  return [
    sliceOf(outcomes, { id: `with ${wanted}`, name: `with “${words.trim()}”`, has }),
    sliceOf(outcomes, {
      id: `without ${wanted}`,
      name: `without “${words.trim()}”`,
      has: (outcome) => !has(outcome),
    }),
  ];
}

function wordsOf({ text, text2 = '' }: Outcome): number {
  return `${text} ${text2}`.split(/\s+/).filter(Boolean).length;
}
