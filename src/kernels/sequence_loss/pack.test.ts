import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_TARGET, packTerms } from './pack.ts';

test('two examples that share a row', () => {
  const packed = packTerms(
    [
      {
        candidates: [
          { tokens: [5, 6], rows: [0, 1] },
          { tokens: [7], rows: [0] },
        ],
        target: 1,
      },
      { candidates: [{ tokens: [8], rows: [3] }] },
    ],
    4,
  );
  expect(packed.sizes).toEqual({ K: 4, C: 3, E: 2 });
  expect([...packed.candidates]).toEqual([0, 2, 2, 3, 3, 4]);
  expect([...packed.examples]).toEqual([0, 2, 1, 2, 3, NO_TARGET]);
  expect([...packed.rows]).toEqual([0, 2, 2, 3, 3, 3, 3, 4]);
  // row, token, candidate | terms by rows: 0 and 2 (row 0), 1 (row 1), 3 (row 3)
  expect([...packed.terms]).toEqual([0, 5, 0, 0, 1, 6, 0, 2, 0, 7, 1, 1, 3, 8, 2, 3]);
});

test('every term is found under its row once', () => {
  const candidate = fc
    .array(fc.tuple(fc.nat(99), fc.nat(6)), { minLength: 1, maxLength: 4 })
    .map((pairs) => ({ tokens: pairs.map((p) => p[0]), rows: pairs.map((p) => p[1]) }));
  const examples = fc.array(
    fc.record({ candidates: fc.array(candidate, { minLength: 1, maxLength: 4 }), target: fc.constant(0) }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(examples, (list) => {
      const { terms, rows, sizes } = packTerms(list, 7);
      const seen: number[] = [];
      for (let row = 0; row < 7; row++)
        for (let j = rows[2 * row]; j < rows[2 * row + 1]; j++) {
          const term = terms[4 * j + 3];
          expect(terms[4 * term]).toBe(row);
          seen.push(term);
        }
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: sizes.K }, (_, k) => k));
    }),
  );
});

test.each([
  [{ candidates: [{ tokens: [1], rows: [2] }] }, 'names row 2 of 2'],
  [{ candidates: [{ tokens: [1], rows: [0, 1] }] }, '1 tokens and 2 rows'],
  [{ candidates: [{ tokens: [], rows: [] }] }, '0 tokens'],
  [{ candidates: [{ tokens: [1], rows: [0] }], target: 1 }, 'target is number 1'],
])('%j is refused', (example, message) => {
  expect(() => packTerms([example], 2)).toThrow(message);
});
