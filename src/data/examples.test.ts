import { describe, expect, it } from 'vitest';
import {
  type Example,
  examine,
  type Finding,
  filterRows,
  guessRoles,
  keepSplits,
  labelCounts,
  makeExamples,
  mend,
  type Table,
} from './index.ts';

const tableOf = (columns: string[], rows: string[][]): Table => ({
  name: 'data.csv',
  format: 'csv',
  delimiter: ',',
  encoding: 'utf-8',
  header: true,
  columns,
  rows,
  lineOf: Uint32Array.from(rows, (_, i) => i + 2),
  warnings: [],
});

const ROLES = { text: 'text', label: 'label' };
const labelled = (rows: [string, string][]): Example[] =>
  rows.map(([text, label], row) => ({ row, text, label }));
const only = (findings: Finding[], kind: Finding['kind']): Finding => {
  const found = findings.filter((finding) => finding.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]!;
};

describe('guessRoles', () => {
  const long = (i: number) => `This is sentence number ${i} of a longer text.`;
  const rows = (cells: (i: number) => string[]) => Array.from({ length: 40 }, (_, i) => cells(i));

  it.each<[string, string[], (i: number) => string[], object]>([
    ['plain names', ['text', 'label'], (i) => [long(i), `${i % 2}`], ROLES],
    [
      'label first',
      ['Sentiment', 'Review Text'],
      (i) => [`${i % 3}`, long(i)],
      { text: 'Review Text', label: 'Sentiment' },
    ],
    [
      'an id and a date',
      ['id', 'date', 'comment', 'category'],
      (i) => [`${i}`, `2024-01-${i}`, long(i), 'abc'[i % 3]!],
      { text: 'comment', label: 'category' },
    ],
    [
      'pairs',
      ['idx', 'premise', 'hypothesis', 'label'],
      (i) => [`${i}`, long(i), long(i + 9), `${i % 3}`],
      { text: 'premise', text2: 'hypothesis', label: 'label' },
    ],
    [
      'sentence1 and 2',
      ['label', 'sentence1', 'sentence2'],
      (i) => [`${i % 2}`, long(i), long(i * 3)],
      { text: 'sentence1', text2: 'sentence2', label: 'label' },
    ],
    [
      'words before numbers',
      ['text', 'label', 'label_text'],
      (i) => [long(i), `${i % 2}`, i % 2 ? 'ham' : 'spam'],
      { text: 'text', label: 'label_text' },
    ],
    [
      'no names',
      ['column 1', 'column 2'],
      (i) => [i % 2 ? 'yes' : 'no', long(i)],
      { text: 'column 2', label: 'column 1' },
    ],
    [
      'no names, pairs',
      ['column 1', 'column 2', 'column 3'],
      (i) => [long(i), long(i + 5), i % 2 ? 'yes' : 'no'],
      { text: 'column 1', text2: 'column 2', label: 'column 3' },
    ],
    [
      'foreign names',
      ['Meldung', 'Abteilung'],
      (i) => [long(i), 'xyz'[i % 3]!],
      { text: 'Meldung', label: 'Abteilung' },
    ],
    [
      'a name that lies',
      ['label', 'text', 'class'],
      (i) => [long(i), `${long(i)} More.`, `${i % 4}`],
      { text: 'text', label: 'class' },
    ],
  ])('%s', (_, columns, cells, roles) => {
    expect(guessRoles(tableOf(columns, rows(cells)))).toEqual(roles);
  });
});

describe('makeExamples', () => {
  it('trims, leaves out rows without text or label, and says which', () => {
    const table = tableOf(
      ['label', 'text'],
      [
        [' a ', ' one '],
        ['', 'two'],
        ['b', '  '],
        ['b', 'four'],
        ['a', 'five'],
      ],
    );
    const { examples, findings } = makeExamples(table, ROLES);
    expect(examples).toEqual([
      { row: 0, text: 'one', label: 'a' },
      { row: 3, text: 'four', label: 'b' },
      { row: 4, text: 'five', label: 'a' },
    ]);
    expect(only(findings, 'empty-text')).toMatchObject({
      rows: [2],
      message: expect.stringContaining('line 4'),
    });
    expect(only(findings, 'empty-label').rows).toEqual([1]);
    const few = only(findings, 'few-examples');
    expect(few).toMatchObject({ rows: [3], mend: 'drop-rows' });
    expect(mend(examples, few).map((e) => e.label)).toEqual(['a', 'a']);
    expect(labelCounts(examples)).toEqual([
      { label: 'a', count: 2 },
      { label: 'b', count: 1 },
    ]);
  });

  it('reads pairs, and needs both texts', () => {
    const table = tableOf(
      ['text', 'text2', 'label'],
      [
        ['p', 'q', 'x'],
        ['p', '', 'y'],
        ['r', 's', 'y'],
      ],
    );
    const { examples } = makeExamples(table, { ...ROLES, text2: 'text2' });
    expect(examples).toEqual([
      { row: 0, text: 'p', text2: 'q', label: 'x' },
      { row: 2, text: 'r', text2: 's', label: 'y' },
    ]);
  });

  it.each<[string, (i: number) => string, RegExp, RegExp]>([
    ['one class', () => 'same', /same label, "same"/, /at least two labels/],
    ['5,000 classes', (i) => `label ${i}`, /5,000 different labels/, /free text/],
    ['51 classes', (i) => `label ${i % 51}`, /51 different labels/, /fewer groups/],
    ['none', () => ' ', /No row has both/, /other columns/],
  ])('refuses %s', (_, label, message, remedy) => {
    const table = tableOf(
      ['text', 'label'],
      Array.from({ length: 5000 }, (_, i) => [`text ${i}`, label(i)]),
    );
    expect(() => makeExamples(table, ROLES)).toThrow(
      expect.objectContaining({
        code: 'bad-labels',
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(remedy),
        where: 'data.csv, column "label"',
      }),
    );
  });

  it('takes 50 classes, and one for the file of a part', () => {
    const fifty = tableOf(
      ['text', 'label'],
      Array.from({ length: 500 }, (_, i) => [`t ${i}`, `${i % 50}`]),
    );
    expect(makeExamples(fifty, ROLES).examples).toHaveLength(500);
    const one = tableOf(['text', 'label'], [['t', 'a']]);
    expect(makeExamples(one, ROLES, { anyLabels: true })).toMatchObject({
      examples: [{ label: 'a' }],
      findings: [],
    });
  });

  it('refuses a column that is not there', () => {
    expect(() => makeExamples(tableOf(['a', 'b'], [['x', 'y']]), ROLES)).toThrow('no column "text"');
  });
});

it('filterRows finds texts and labels whatever their capitals', () => {
  const examples = labelled([
    ['Good film', 'POS'],
    ['Bad plot', 'NEG'],
    ['A FILM', 'NEG'],
  ]);
  expect(filterRows(examples, 'film')).toEqual([0, 2]);
  expect(filterRows(examples, ' neg ')).toEqual([1, 2]);
  expect(filterRows(examples, '')).toEqual([0, 1, 2]);
  expect(filterRows(examples, 'zebra')).toEqual([]);
});

describe('examine and mend', () => {
  const clean = labelled([
    ['one text', 'a'],
    ['two text', 'b'],
    ['three text', 'a'],
    ['four text', 'b'],
  ]);

  it('finds nothing in clean data', () => {
    expect(examine(clean, { train: [0, 1], dev: [2], test: [3] })).toEqual([]);
  });

  it('drops exact duplicates but the first', () => {
    const examples = [...clean, { row: 9, text: 'one  text', label: 'a' }];
    const finding = only(examine(examples), 'duplicate');
    expect(finding).toMatchObject({ rows: [9], examples: [4], mend: 'drop-rows' });
    expect(mend(examples, finding)).toEqual(clean);
    expect(examine(mend(examples, finding))).toEqual([]);
    expect(examples).toHaveLength(5);
  });

  it('finds one text with two labels', () => {
    const examples = [...clean, { row: 7, text: 'one text', label: 'b' }];
    const findings = examine(examples);
    const finding = only(findings, 'conflict');
    expect(finding.rows).toEqual([0, 7]);
    expect(findings).toHaveLength(1);
    expect(mend(examples, finding).map((e) => e.row)).toEqual([1, 2, 3]);
  });

  it('tells pairs apart by both texts', () => {
    const pair = (row: number, text2: string, label: string): Example => ({
      row,
      text: 'same',
      text2,
      label,
    });
    expect(examine([pair(0, 'x', 'a'), pair(1, 'y', 'b')])).toEqual([]);
  });

  it('finds leaks into test and dev, and the split moves along when they are dropped', () => {
    const examples = labelled([
      ['p q', 'a'],
      ['r s', 'b'],
      ['t u', 'a'],
      ['r s', 'b'],
      ['p q', 'a'],
      ['v w', 'b'],
    ]);
    const splits = { train: [0, 1, 2], dev: [3], test: [4, 5] };
    const findings = examine(examples, splits);
    const test = only(findings, 'leak-test');
    expect(test.examples).toEqual([0]);
    expect(only(findings, 'leak-dev').examples).toEqual([1]);
    const after = mend(examples, test);
    const moved = keepSplits(splits, test);
    expect(moved).toEqual({ train: [0, 1], dev: [2], test: [3, 4] });
    expect(examine(after, moved).some((f) => f.kind === 'leak-test')).toBe(false);
    expect(after[moved.test[0]!]).toBe(examples[4]);
  });

  it('finds labels that only dev or test have', () => {
    const examples = labelled([
      ['p q', 'a'],
      ['r s', 'b'],
      ['t u', 'c'],
      ['v w', 'a'],
    ]);
    const finding = only(examine(examples, { train: [0, 1], dev: [], test: [2, 3] }), 'unseen-label');
    expect(finding).toMatchObject({ rows: [2], mend: 'drop-rows', message: expect.stringContaining('"c"') });
  });

  it('merges labels that differ in capitals or spaces into the most frequent spelling', () => {
    const examples = labelled([
      ['a b', 'Positive'],
      ['c d', 'positive'],
      ['e f', 'positive'],
      ['g h', 'neg'],
      ['i j', 'POSITIVE'],
    ]);
    const finding = only(examine(examples), 'label-spelling');
    expect(finding).toMatchObject({ rows: [0, 4], mend: 'merge-labels', label: 'positive' });
    const after = mend(examples, finding);
    expect(labelCounts(after)).toEqual([
      { label: 'positive', count: 4 },
      { label: 'neg', count: 1 },
    ]);
    expect(after[1]).toBe(examples[1]);
    expect(examples[0]!.label).toBe('Positive');
  });

  it('warns of unbalanced labels without a mend', () => {
    const examples = labelled([
      ...Array.from({ length: 90 }, (_, i): [string, string] => [`text ${i} a`, 'usual']),
      ['rare text', 'rare'],
    ]);
    const finding = only(examine(examples), 'unbalanced');
    expect(finding.mend).toBeUndefined();
    expect(finding.message).toContain('99 %');
    expect(mend(examples, finding)).toEqual(examples);
  });

  it('finds texts without letters, of any script', () => {
    const examples = labelled([
      ['12345 !!', 'a'],
      ['很好', 'b'],
      ['👍', 'a'],
      ['да', 'b'],
    ]);
    expect(only(examine(examples), 'no-letters').rows).toEqual([0, 2]);
  });

  it('repairs letters broken by a wrong encoding, and only those', () => {
    const examples = labelled([
      ['un cafÃ© trÃ¨s cher', 'a'],
      ['itâ€™s fine ðŸ˜€', 'b'],
      ['«CAFÉ» à la carte, Ã la mode', 'a'],
      ['lost \ufffd letter', 'b'],
    ]);
    const findings = examine(examples).filter((f) => f.kind === 'encoding');
    expect(findings.map((f) => [f.mend, f.rows])).toEqual([
      ['repair-encoding', [0, 1]],
      ['drop-rows', [3]],
    ]);
    const after = mend(examples, findings[0]!);
    expect(after.map((e) => e.text).slice(0, 3)).toEqual([
      'un café très cher',
      'it’s fine 😀',
      examples[2]!.text,
    ]);
  });
});
