import { PreludeError } from '../errors.ts';
import { LABEL_NAMES, plainName, SECOND_TEXT_NAMES, TEXT_NAMES } from './names.ts';
import type { Roles, Table } from './types.ts';

/** Rows looked at; more would not change the guess. */
const SAMPLE = 2000;

interface Column {
  name: string;
  /** Mean number of characters and words of the cells that hold something. */
  length: number;
  words: number;
  distinct: number;
  filled: number;
  numeric: boolean;
}

/**
 * Which columns are probably the text, the second text of a pair task, and the label: by name first, then by content (few distinct
 * values are a label, long cells are text).
 *
 * @throws PreludeError 'bad-table' for a table of one column.
 */
export function guessRoles(table: Table): Roles {
  const columns = table.columns.map((name, index) => columnFacts(name, table.rows, index));
  if (columns.length < 2)
    throw new PreludeError('bad-table', `${table.name} has only one column.`, {
      where: table.name,
      remedy: 'Each row needs a text and a label.',
    });
  const label = best(columns, (column, index) => labelScore(column) + index / (100 * columns.length));
  const others = columns.filter((column) => column !== label);
  const text = best(others, textScore);
  const text2 = secondText(
    others.filter((column) => column !== text),
    text,
  );
  if (text2 === undefined) return { text: text.name, label: label.name };
  // Nameless pairs are taken in the order in which they stand.
  const swap = isNameless(text2) && columns.indexOf(text2) < columns.indexOf(text);
  const [first, second] = swap ? [text2, text] : [text, text2];
  return { text: first.name, text2: second.name, label: label.name };
}

function isNameless(column: Column): boolean {
  return /^column \d+$/.test(column.name);
}

function columnFacts(name: string, rows: readonly string[][], index: number): Column {
  const cells = rows.slice(0, SAMPLE).map((row) => (row[index] ?? '').trim());
  const full = cells.filter((cell) => cell !== '');
  const filled = Math.max(1, full.length);
  return {
    name,
    length: full.reduce((sum, cell) => sum + cell.length, 0) / filled,
    words: full.reduce((sum, cell) => sum + cell.split(/\s+/).length, 0) / filled,
    distinct: new Set(full).size,
    filled: full.length,
    numeric: full.length > 0 && full.every((cell) => Number.isFinite(Number(cell))),
  };
}

function best(columns: readonly Column[], score: (column: Column, index: number) => number): Column {
  return columns
    .map((column, index) => ({ column, score: score(column, index) }))
    .sort((a, b) => b.score - a.score)[0]!.column;
}

/** 3 for a listed name, a little more the earlier it stands in the list; 0 for others. "label" also answers to "my_label". */
function nameScore(name: string, known: readonly string[]): number {
  const plain = plainName(name);
  const exact = known.indexOf(plain);
  if (exact !== -1) return 3 + 0.5 * (1 - exact / known.length);
  return known.slice(0, 12).some((word) => word.length > 3 && plain.endsWith(word)) ? 1.5 : 0;
}

function labelScore(column: Column): number {
  let score = nameScore(column.name, LABEL_NAMES);
  const few =
    column.distinct >= 2 && column.distinct <= 50 && column.distinct <= Math.max(2, column.filled / 2);
  if (few) score += 3;
  if (column.distinct < 2) score -= 2;
  if (column.distinct > 50 && column.distinct > column.filled / 2) score -= 3;
  if (column.length > 40 || column.words > 5) score -= 3;
  return score;
}

function textScore(column: Column): number {
  let score = nameScore(column.name, TEXT_NAMES);
  if (column.words >= 3) score += 2;
  if (column.distinct > column.filled / 2) score += 1;
  if (column.numeric) score -= 4;
  // Between two unknown columns of words the longer one is the text.
  return score + Math.min(1, column.length / 400);
}

function secondText(columns: readonly Column[], text: Column): Column | undefined {
  const wordy = columns.filter(
    (column) => !column.numeric && column.words >= 2 && column.distinct > column.filled / 4,
  );
  const named = wordy.filter((column) => nameScore(column.name, SECOND_TEXT_NAMES) >= 3);
  if (named.length > 0) return best(named, (column) => nameScore(column.name, SECOND_TEXT_NAMES));
  // Without names, a second column of sentences of about the same length is a pair task.
  return wordy.find(
    (column) =>
      isNameless(column) &&
      column.words >= 3 &&
      column.length > text.length / 3 &&
      column.length < text.length * 3,
  );
}
