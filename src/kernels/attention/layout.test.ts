import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AttentionLayout, layOut } from './layout.ts';
import { pack } from './packing.ts';

/** Key rows that a packed query row sees, read out of a layout. */
function seen(l: AttentionLayout, row: number): number[] {
  const at = l.queryPlace[row];
  const block = Math.floor(at / l.queries);
  return Array.from({ length: l.keys }, (_, j) => j)
    .filter((j) => l.mask[at * l.keys + j] === 0)
    .map((j) => l.keyIndex[block * l.keys + j])
    .sort((a, b) => a - b);
}

const span = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);

describe('packed rows as blocks', () => {
  test('every query sees what its range says, wherever the blocks put it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 1, 4),
        fc.constantFrom(0, Number.POSITIVE_INFINITY),
        fc.constantFrom(0, 2, Number.POSITIVE_INFINITY),
        (lengths, prefix, after, before) => {
          const packed = pack(
            lengths.map((n) => [n, n]),
            prefix > 0 ? { prefix, after: 0 } : { after, before },
          );
          const layout = layOut(packed.queryRanges, packed.keys, prefix > 0 ? prefix : undefined);
          for (let row = 0; row < packed.queries; row++) {
            const [start, end, , from] = packed.queryRanges.subarray(4 * row, 4 * row + 4);
            const behind = prefix > 0 ? span(from, prefix) : [];
            expect(seen(layout, row)).toEqual(
              [...new Set([...behind, ...span(start, end)])].sort((a, b) => a - b),
            );
          }
          // Each packed row has one place, and no two the same.
          expect(new Set(layout.queryPlace).size).toBe(packed.queries);
          expect(new Set(layout.keyPlace).size).toBe(packed.keys - prefix);
        },
      ),
    );
  });

  test('a padding query looks at a place that no key has', () => {
    const packed = pack([
      [1, 6],
      [3, 2],
    ]);
    const l = layOut(packed.queryRanges, packed.keys);
    for (const at of [1, 2]) {
      const sees = span(0, l.keys).filter((j) => l.mask[at * l.keys + j] === 0);
      expect(sees).toEqual([l.keys - 1]);
      expect(Array.from(l.keyPlace)).not.toContain(l.keys - 1);
    }
  });

  test('keys that nobody sees take a place that nobody sees', () => {
    // Label rows behind a window: the first two keys are out of sight.
    const l = layOut(Uint32Array.of(2, 5, 0, 0, 7, 8, 0, 0), 8, 0);
    for (const key of [0, 1, 5, 6]) {
      const place = l.keyPlace[key];
      expect(place).toBeGreaterThanOrEqual(0);
      for (let i = 0; i < l.queries; i++)
        expect(l.mask[(Math.floor(place / l.keys) * l.queries + i) * l.keys + (place % l.keys)]).not.toBe(0);
    }
  });

  test('a query that sees nothing is named', () => {
    expect(() => layOut(Uint32Array.of(0, 1, 0, 0, 3, 3, 0, 0), 4)).toThrow('query row 1 sees nothing');
  });
});
