import { expect, test } from 'vitest';
import { pickExamples } from './watched.ts';

const row = (label: string, text: string) => ({ label, text });
const long = 'a text that is much too long for the narrow panel on the right side of the page';

test('every label is watched, even where only one of them has short texts', () => {
  const rows = [
    ...Array.from({ length: 8 }, (_, i) => row('question', `short ${i}`)),
    row('praise', long),
    row('complaint', long),
  ];
  const { first, watched } = pickExamples(rows, 3);
  expect(first?.text).toBe('short 0');
  expect(watched.map(({ label }) => label).sort()).toEqual(['complaint', 'praise', 'question']);
  expect(watched[0]?.text).toBe('short 1');
});

test('short texts come before long ones of the same label, and no row stands twice', () => {
  const rows = [row('a', long), row('b', 'b 1'), row('a', 'a 1'), row('b', 'b 2'), row('a', 'a 2')];
  const { first, watched } = pickExamples(rows, 3);
  expect([first!, ...watched].map(({ text }) => text)).toEqual(['b 1', 'a 1', 'b 2', 'a 2']);
  expect(pickExamples(rows.slice(0, 1), 3)).toEqual({ first: rows[0], watched: [] });
  expect(pickExamples([], 3)).toEqual({ first: undefined, watched: [] });
});
