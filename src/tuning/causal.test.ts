import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROMPT_ROW } from '../kernels/index.ts';
import { type BatchExample, planAnswers } from './batch.ts';
import { type CausalShape, causalLayout, causalSizes, type PackedCausal, packCausal } from './causal.ts';

const example = (
  ids: number[],
  candidates: number[][],
  prompt = { first: 0, count: 3 },
  target = 0,
): BatchExample => ({ ids, prompt, answers: planAnswers(candidates), target });

/** Rows that a row sees, as the attention kernels read its range. */
function seenBy(ranges: Uint32Array, at: number, P: number): number[] {
  const [first, end, hole, from] = ranges.subarray(4 * at, 4 * at + 4);
  const rows: number[] = [];
  for (let row = from; row < P; row++) rows.push(row);
  for (let row = first; row < end; row++) {
    const into = row - first;
    if (into < (hole & 0xffff) || into >= (hole & 0xffff) + (hole >>> 16)) rows.push(row);
  }
  return rows;
}

/** What must be true of every packed batch. */
function check(examples: readonly BatchExample[], shape: CausalShape): PackedCausal {
  const packed = packCausal(examples, shape);
  const { T, N, P, pairs } = packed.dims;
  const window = shape.window?.size ?? Number.POSITIVE_INFINITY;
  expect(packed.ids).toHaveLength(T);

  // Each label row of all layers sees prompt, input and the answer so far, at their positions, and nothing else.
  const lastRanges = shape.window?.lastLayer ? packed.windowQueryRanges : packed.queryRanges;
  examples.forEach(({ ids, prompt, answers }, e) => {
    const before = [
      ...Array.from({ length: prompt.count }, (_, i) => (PROMPT_ROW | (prompt.first + i)) >>> 0),
      ...ids,
    ];
    answers.candidates.forEach((tokens, c) => {
      packed.examples[e].candidates[c].rows.forEach((label, j) => {
        const wanted = [...before, ...tokens.slice(0, j)].map((id, position) => [id, position]);
        const row = packed.labelRow[label];
        const read = (ranges: Uint32Array, at: number) =>
          seenBy(ranges, at, P).map((r) => [packed.ids[r], packed.positions[r]]);
        expect(read(packed.queryRanges, row)).toEqual(wanted);
        expect(read(packed.windowQueryRanges, row)).toEqual(wanted.slice(-window));
        expect(packed.labelOfRow[row]).toBe(label);
        expect(packed.labelPositions[label]).toBe(wanted.length - 1);
        expect(packed.labelQueryRanges.subarray(4 * label, 4 * label + 4)).toEqual(
          lastRanges.subarray(4 * row, 4 * row + 4),
        );
      });
    });
  });

  // Keys say the same as queries: a key is seen by the rows of its range and by no others.
  const sees = (ranges: Uint32Array, count: number) =>
    new Set(Array.from({ length: count }, (_, i) => seenBy(ranges, i, P).map((j) => `${i} ${j}`)).flat());
  const seen = (ranges: Uint32Array) => {
    const all: string[] = [];
    for (let j = 0; j < T; j++) for (let i = ranges[4 * j]; i < ranges[4 * j + 1]; i++) all.push(`${i} ${j}`);
    return new Set(all);
  };
  expect(seen(packed.keyRanges)).toEqual(sees(packed.queryRanges, T));
  expect(seen(packed.windowKeyRanges)).toEqual(sees(packed.windowQueryRanges, T));
  expect(seen(packed.labelKeyRanges)).toEqual(sees(packed.labelQueryRanges, N));
  expect(sees(packed.queryRanges, T).size).toBe(pairs);

  // The rows are those that were promised.
  const { once, each } = causalSizes(examples, shape);
  expect(examples.reduce((sum, one) => sum + each(one).T, once.T)).toBe(T);
  expect(examples.reduce((sum, one) => sum + each(one).N, once.N)).toBeGreaterThanOrEqual(N);
  return packed;
}

describe('packCausal', () => {
  test('one prompt comes once, and inputs come once for all answers', () => {
    const packed = check(
      [
        example(
          [10, 11],
          [
            [20, 21],
            [22, 23, 24],
          ],
        ),
        example([12], [[20], [22]]),
        example([13, 14], [[25, 26]]),
      ],
      {},
    );
    // 3 of the prompt, 2 + 1 + 2 of inputs, branches of 1 + 2 and 1.
    expect(packed.dims).toMatchObject({ T: 12, S: 1, P: 3 });
    expect([...packed.promptRow]).toEqual([0]);
  });

  test('the first token of an answer without input is predicted by the last prompt row', () => {
    const packed = check([example([], [[20]]), example([], [[21, 22]]), example([10], [[23]])], {});
    expect(packed.labelRow[packed.examples[0].candidates[0].rows[0]]).toBe(2);
    expect(packed.examples[0].candidates[0].rows).toEqual(packed.examples[1].candidates[0].rows.slice(0, 1));
  });

  test('different prompts are laid in front of their own examples', () => {
    const packed = check(
      [example([10], [[20], [21, 22]]), example([11], [[20]], { first: 7, count: 2 })],
      {},
    );
    expect(packed.dims).toMatchObject({ T: 8, S: 2, P: 0 });
    expect([...packed.promptRow]).toEqual([0, 5]);
  });

  test('without prompt and input nothing predicts', () => {
    expect(() => packCausal([example([], [[1]], { first: 0, count: 0 })])).toThrow(
      'neither input nor prompt',
    );
  });

  test('a sequence longer than the positions is refused with both lengths', () => {
    expect(() => packCausal([example([1, 2, 3], [[4, 5]])], { maxPositions: 6 })).toThrow(
      /7 positions.*has 6/,
    );
  });

  test('a window that hides rows sets the answers apart, a wider one does not', () => {
    const examples = [
      example(
        [10, 11],
        [
          [20, 21],
          [22, 23],
        ],
      ),
    ];
    expect(causalLayout(examples, { window: { size: 6, lastLayer: false } })).toBe('shared');
    expect(causalLayout(examples, { window: { size: 5, lastLayer: false } })).toBe('apart');
  });

  test('in every layout each label sees what it would alone', () => {
    const token = fc.integer({ min: 1, max: 9 });
    const one = fc.record({
      ids: fc.array(token, { maxLength: 5 }),
      candidates: fc.array(fc.array(token, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      bank: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 4 }),
        fc.option(fc.record({ size: fc.integer({ min: 1, max: 9 }), lastLayer: fc.boolean() })),
        (list, window) => {
          check(
            list.map(({ ids, candidates, bank }) =>
              example(ids, candidates, bank ? { first: 4, count: 1 } : { first: 0, count: 3 }),
            ),
            { window: window ?? undefined },
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
