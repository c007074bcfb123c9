import { PreludeError } from '../errors.ts';
import type { Example, Finding, Roles, Splits, Table } from './types.ts';
import { counted, someOf } from './words.ts';

/** Classes at most: beyond that a column is no label column, and ranking verbalizers gets slow. */
export const MAX_CLASSES = 50;

export interface ExampleOptions {
  /** For the file of one part alone (a test file, say): any number of classes will do. */
  anyLabels?: boolean;
}

/**
 * The labelled rows of a table. Rows without text or label are left out and told as findings; blank space around texts and labels
 * is dropped.
 *
 * @throws PreludeError 'bad-labels' where there are no rows left, one class only, or more than `MAX_CLASSES`;
 *   'bad-table' where a role names a column that the table has not.
 */
export function makeExamples(
  table: Table,
  roles: Roles,
  options: ExampleOptions = {},
): { examples: Example[]; findings: Finding[] } {
  const text = columnOf(table, roles.text);
  const text2 = roles.text2 === undefined ? undefined : columnOf(table, roles.text2);
  const label = columnOf(table, roles.label);
  const examples: Example[] = [];
  const noText: number[] = [];
  const noLabel: number[] = [];
  table.rows.forEach((cells, row) => {
    const example: Example = { row, text: (cells[text] ?? '').trim(), label: (cells[label] ?? '').trim() };
    if (text2 !== undefined) example.text2 = (cells[text2] ?? '').trim();
    if (example.text === '' || example.text2 === '') noText.push(row);
    else if (example.label === '') noLabel.push(row);
    else examples.push(example);
  });
  if (!options.anyLabels) checkLabels(examples, table.name, roles.label);
  const findings: Finding[] = [];
  if (noText.length > 0) findings.push(leftOut('empty-text', noText, 'text', table));
  if (noLabel.length > 0) findings.push(leftOut('empty-label', noLabel, 'label', table));
  for (const { label: name, count } of labelCounts(examples)) {
    if (count >= 2 || options.anyLabels) continue;
    const index = examples.findIndex((example) => example.label === name);
    findings.push({
      kind: 'few-examples',
      severity: 'warning',
      message: `"${name}" has only 1 row: it can be learnt from or tested on, not both.`,
      rows: [examples[index]!.row],
      examples: [index],
      mend: 'drop-rows',
    });
  }
  return { examples, findings };
}

/**
 * Refuses labels that no classifier can be taught: fewer than two classes, or more than `MAX_CLASSES`.
 *
 * @throws PreludeError 'bad-labels'
 */
export function checkLabels(examples: readonly Example[], name: string, column: string): void {
  const labels = labelCounts(examples);
  const where = `${name}, column "${column}"`;
  const fail = (message: string, remedy: string) =>
    new PreludeError('bad-labels', message, { where, remedy });
  if (labels.length === 0)
    throw fail(
      `No row has both a text and a label in "${column}".`,
      'Choose other columns for text and label.',
    );
  if (labels.length === 1)
    throw fail(
      `Every row has the same label, "${labels[0]!.label}".`,
      'Choose another label column, or a file with at least two labels.',
    );
  if (labels.length > MAX_CLASSES) {
    const freeText = labels.length > examples.length / 2;
    throw fail(
      `The column "${column}" has ${labels.length.toLocaleString('en')} different labels; at most ${MAX_CLASSES} can be learnt.`,
      freeText
        ? 'It looks like a column of free text: choose another column as the label.'
        : 'Choose another label column, or put its labels into fewer groups.',
    );
  }
}

/** How many examples each label has, the most frequent first, then by name. */
export function labelCounts(examples: readonly Example[]): { label: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .map(([label, count]) => ({ label, count }))
    .sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1));
}

/** Indices of the examples whose text or label contains the query; capitals do not matter. An empty query finds all. */
export function filterRows(examples: readonly Example[], query: string): number[] {
  const wanted = query.trim().toLowerCase();
  const found: number[] = [];
  examples.forEach((example, index) => {
    const { text, text2, label } = example;
    const parts = text2 === undefined ? [text, label] : [text, text2, label];
    if (wanted === '' || parts.some((part) => part.toLowerCase().includes(wanted))) found.push(index);
  });
  return found;
}

/**
 * Own files for each part: their examples in one array, and which of it is which. Parts without a file stay empty. The training
 * examples come first, so that `split(train, ...)` can carve missing parts out of them with indices that hold for the whole.
 */
export function combineSplits(
  train: readonly Example[],
  dev: readonly Example[] = [],
  test: readonly Example[] = [],
): { examples: Example[]; splits: Splits } {
  const range = (start: number, length: number) => Array.from({ length }, (_, i) => start + i);
  return {
    examples: [...train, ...dev, ...test],
    splits: {
      train: range(0, train.length),
      dev: range(train.length, dev.length),
      test: range(train.length + dev.length, test.length),
    },
  };
}

function columnOf(table: Table, name: string): number {
  const index = table.columns.indexOf(name);
  if (index === -1)
    throw new PreludeError('bad-table', `${table.name} has no column "${name}".`, {
      where: table.name,
      remedy: `Choose among its columns: ${table.columns.join(', ')}.`,
    });
  return index;
}

function leftOut(kind: 'empty-text' | 'empty-label', rows: number[], what: string, table: Table): Finding {
  const lines = rows.map((row) => table.lineOf?.[row]);
  const at = lines.every((line) => line !== undefined)
    ? `line ${someOf(lines)}`
    : `row ${someOf(rows.map((row) => row + 1))}`;
  const were = rows.length === 1 ? 'was' : 'were';
  return {
    kind,
    severity: 'note',
    message: `${counted(rows.length, 'row')} without a ${what} ${were} left out (${at}).`,
    rows,
    examples: [],
  };
}
