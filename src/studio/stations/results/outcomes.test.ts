import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  leadOf,
  type Outcome,
  outcomesCsv,
  pairOutcomes,
  selectOutcomes,
  slicesByLabel,
  slicesByLength,
  slicesByWords,
} from './outcomes.ts';

const outcome = (
  row: number,
  label: string,
  predicted: string,
  probability: number,
  text = `t${row}`,
): Outcome => ({
  row,
  text,
  label,
  predicted,
  probability,
});
const labels = ['a', 'b'];
const outcomes = [
  outcome(0, 'a', 'a', 0.9),
  outcome(1, 'a', 'b', 0.6),
  outcome(2, 'b', 'b', 0.7, 'The Clock'),
  outcome(3, 'b', 'something', 0.8),
  outcome(4, 'b', 'a', 0.95, 'the clock again'),
];
const rows = (found: Outcome[]) => found.map((o) => o.row);

describe('selectOutcomes', () => {
  const base = { show: 'all', search: '', order: 'row' } as const;
  it('shows right, wrong or all', () => {
    expect(rows(selectOutcomes({ outcomes, labels }, base))).toEqual([0, 1, 2, 3, 4]);
    expect(rows(selectOutcomes({ outcomes, labels }, { ...base, show: 'wrong' }))).toEqual([1, 3, 4]);
    expect(rows(selectOutcomes({ outcomes, labels }, { ...base, show: 'right' }))).toEqual([0, 2]);
  });
  it('lists a cell, whatever else is chosen; answers that are no label have their own', () => {
    const cell = (truth: number, predicted: number) =>
      rows(selectOutcomes({ outcomes, labels }, { ...base, show: 'wrong', cell: { truth, predicted } }));
    expect(cell(0, 0)).toEqual([0]);
    expect(cell(0, 1)).toEqual([1]);
    expect(cell(1, 2)).toEqual([3]);
    expect(cell(0, 2)).toEqual([]);
  });
  it('searches without regard to capitals and sorts by sureness', () => {
    expect(rows(selectOutcomes({ outcomes, labels }, { ...base, search: ' CLOCK' }))).toEqual([2, 4]);
    expect(rows(selectOutcomes({ outcomes, labels }, { ...base, order: 'surest' }))).toEqual([4, 0, 3, 2, 1]);
    expect(rows(selectOutcomes({ outcomes, labels }, { ...base, order: 'least-sure' }))).toEqual([
      1, 2, 3, 0, 4,
    ]);
  });
});

it('outcomesCsv can be read again', () => {
  const awkward = [{ ...outcome(0, 'a', 'a', 0.25, 'one, "two"\nthree'), text2: 'x', generated: 'a' }];
  const { data } = Papa.parse(outcomesCsv({ outcomes: awkward }), { header: true });
  expect(data).toEqual([
    {
      row: '1',
      text: 'one, "two"\nthree',
      text2: 'x',
      label: 'a',
      predicted: 'a',
      right: '1',
      probability: '0.25',
      generated: 'a',
    },
  ]);
  expect(outcomesCsv({ outcomes }).split('\r\n')[0]).toBe('row,text,label,predicted,right,probability');
});

it('pairOutcomes counts on the rows that both have', () => {
  const second = [
    outcome(1, 'a', 'a', 0.5),
    outcome(0, 'a', 'b', 0.5),
    outcome(2, 'b', 'b', 0.5),
    outcome(3, 'b', 'a', 1),
  ];
  const paired = pairOutcomes({ outcomes }, { outcomes: second });
  expect(paired).toMatchObject({ n: 4, bothRight: 1, bothWrong: 1 });
  expect(paired.differ.map((pair) => pair.first.row)).toEqual([0, 1, 3]);
  expect(paired.comparison).toMatchObject({ difference: 0, onlyFirst: 1, onlySecond: 1, p: 1 });
});

it('leadOf turns the interval with the one that is ahead', () => {
  expect(leadOf({ difference: -0.1, interval: { low: -0.2, high: 0.05 } })).toEqual({
    ahead: 'first',
    by: 0.1,
    low: -0.05,
    high: 0.2,
  });
  expect(leadOf({ difference: 0.1, interval: { low: 0, high: 0.2 } }).ahead).toBe('second');
  expect(leadOf({ difference: 0, interval: { low: -0.1, high: 0.1 } }).ahead).toBe('neither');
});

it('answerOf shows what was written where it is no label', () => {
  expect(answerOf({ predicted: 'a', generated: 'a' })).toBe('a');
  expect(answerOf({ predicted: '', generated: 'the town' })).toBe('“the town”');
  expect(answerOf({ predicted: '', generated: '' })).toBe('nothing');
});

describe('slicesByLength', () => {
  const row = (words: number, right: boolean) =>
    outcome(words, 'a', right ? 'a' : 'b', 0.5, Array.from({ length: words }, () => 'word').join(' '));
  it('takes quarters, shortest first', () => {
    const slices = slicesByLength([8, 7, 6, 5, 4, 3, 2, 1].map((words) => row(words, words <= 6)));
    expect(slices.map(({ name, n, accuracy }) => [name, n, accuracy])).toEqual([
      ['1 to 2 words', 2, 1],
      ['3 to 4 words', 2, 1],
      ['5 to 6 words', 2, 1],
      ['7 to 8 words', 2, 0],
    ]);
    expect(slices[0]!.low).toBeLessThan(0.5);
  });
  it('leaves rows of one length together', () => {
    expect(slicesByLength([3, 3, 3, 3, 3, 9].map((words) => row(words, true)))).toMatchObject([
      { name: '3 words', n: 5 },
      { name: '9 words', n: 1 },
    ]);
    expect(slicesByLength([])).toEqual([]);
  });
});

describe('slices', () => {
  it('by true label: the share right is that label’s recall', () => {
    expect(slicesByLabel({ outcomes, labels }).map(({ name, n, accuracy }) => [name, n, accuracy])).toEqual([
      ['a', 2, 0.5],
      ['b', 3, 1 / 3],
    ]);
  });
  it('by words: with and without them make all rows', () => {
    const [having, without] = slicesByWords(outcomes, ' Clock ');
    expect(having).toMatchObject({ name: 'with “Clock”', n: 2 });
    expect(having!.n + without!.n).toBe(outcomes.length);
    expect(
      selectOutcomes({ outcomes, labels }, { show: 'all', search: '', order: 'row', slice: having }),
    ).toHaveLength(2);
  });
  it('without rows claim nothing', () => {
    const [none] = slicesByWords(outcomes, 'nowhere');
    expect(none).toMatchObject({ n: 0, accuracy: Number.NaN });
  });
});
