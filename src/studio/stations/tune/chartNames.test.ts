import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Line } from './chartData.ts';
import { fitName, type NamedValue, namesOf, placeNames } from './chartNames.ts';

const line = (name: string, value: number, warm = false, faint = false): Line => ({
  id: name + faint,
  name,
  warm,
  faint,
  points: [
    [0, 0],
    [10, value],
  ],
});
const flat = { name: 'untuned', value: 0.5 };

test('one run needs no name; several are all named, the batches behind them are not', () => {
  expect(namesOf([line('a', 0.8, true)], [flat]).map(({ name }) => name)).toEqual(['untuned']);
  expect(namesOf([line('a', 0.8, true, true), line('b', 0.6), line('a', 0.8, true)], [flat])).toEqual([
    { name: 'untuned', value: 0.5, kind: 'flat' },
    { name: 'b', value: 0.6, kind: 'older' },
    { name: 'a', value: 0.8, kind: 'current' },
  ]);
});

test('a name stands at its line where it can', () => {
  expect(placeNames([{ kind: 'flat' }, { kind: 'flat' }], [30, 60], [0, 100], 14)).toEqual([30, 60]);
});

test('where there is no room the oldest runs lose their names first', () => {
  const kinds: Pick<NamedValue, 'kind'>[] = [
    { kind: 'flat' },
    { kind: 'older' },
    { kind: 'older' },
    { kind: 'current' },
  ];
  const placed = placeNames(kinds, [10, 11, 12, 13], [0, 30], 10);
  expect(placed.map((y) => y !== undefined)).toEqual([true, false, true, true]);
});

test('names never touch and never leave the plot', () => {
  const kinds = fc.constantFrom('flat', 'older', 'current') as fc.Arbitrary<NamedValue['kind']>;
  fc.assert(
    fc.property(
      fc.array(fc.record({ kind: kinds, y: fc.integer({ min: -50, max: 250 }) }), { maxLength: 30 }),
      (names) => {
        const placed = placeNames(
          names,
          names.map(({ y }) => y),
          [0, 200],
          14,
        ).filter((y) => y !== undefined);
        expect(placed.length).toBe(Math.min(names.length, 14));
        placed.sort((a, b) => a - b);
        placed.forEach((y, i) => {
          expect(y).toBeGreaterThanOrEqual(7 - 1e-9);
          expect(y).toBeLessThanOrEqual(193 + 1e-9);
          if (i > 0) expect(y - placed[i - 1]!).toBeGreaterThanOrEqual(14 - 1e-9);
        });
      },
    ),
  );
});

test('a long name is cut', () => {
  const widthOf = (text: string) => text.length;
  expect(fitName('short', 10, widthOf)).toBe('short');
  expect(fitName('a very long name', 7, widthOf)).toBe('a very…');
});
