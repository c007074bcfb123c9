import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROMPT_ROW } from '../kernels/index.ts';
import { packBatch, planAnswers } from './batch.ts';

describe('planAnswers', () => {
  test('one-token answers share a single decoder row', () => {
    const plan = planAnswers([[5], [6], [7]]);
    expect(plan.sequences).toEqual([[]]);
    expect(plan.home).toEqual([0, 0, 0]);
  });

  test('an answer reads from a longer one that begins alike', () => {
    const plan = planAnswers([[5], [6, 7, 1], [6, 8]]);
    expect(plan.sequences).toEqual([[6, 7]]);
    expect(plan.home).toEqual([0, 0, 0]);
  });

  test('every token is predicted after exactly the tokens before it', () => {
    const answer = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 6 }), (candidates) => {
        const plan = planAnswers(candidates);
        candidates.forEach((tokens, c) => {
          expect(plan.sequences[plan.home[c]].slice(0, tokens.length - 1)).toEqual(tokens.slice(0, -1));
        });
      }),
    );
  });
});

describe('packBatch', () => {
  const batch = packBatch(
    [
      { ids: [10, 11, 1], prompt: { first: 0, count: 2 }, answers: planAnswers([[20, 1]]), target: 0 },
      { ids: [12], prompt: { first: 5, count: 1 }, answers: planAnswers([[30], [31, 32]]), target: 1 },
    ],
    0,
  );

  test('counts real rows only', () => {
    expect(batch.dims).toMatchObject({ T: 7, S: 2, D: 4, N: 4 });
  });

  test('puts the prompt rows in front, by bank row', () => {
    expect([...batch.ids]).toEqual([PROMPT_ROW, PROMPT_ROW + 1, 10, 11, 1, PROMPT_ROW + 5, 12]);
    expect([...batch.promptRow]).toEqual([0, 5]);
  });

  test('an encoder row sees its own sequence, both ways, with the right distances', () => {
    const query = (t: number) => [...new Int32Array(batch.encoderQueryRanges.slice(4 * t, 4 * t + 3))];
    const key = (t: number) => [...new Int32Array(batch.encoderKeyRanges.slice(4 * t, 4 * t + 3))];
    expect(query(2)).toEqual([0, 5, -2]);
    expect(key(2)).toEqual([0, 5, 2]);
    expect(query(6)).toEqual([5, 7, -1]);
  });

  test('a decoder row sees what came before it, and the encoder rows of its example', () => {
    expect([...batch.decoderIds]).toEqual([0, 20, 0, 31]);
    expect([...batch.decoderQueryRanges.slice(4, 6)]).toEqual([0, 2]);
    expect([...batch.decoderKeyRanges.slice(0, 2)]).toEqual([0, 2]);
    expect([...batch.crossQueryRanges.slice(8, 10)]).toEqual([5, 7]);
    expect([...batch.crossKeyRanges.slice(4 * 6, 4 * 6 + 2)]).toEqual([2, 4]);
  });

  test('labels name the row that predicts each token', () => {
    expect(batch.examples[0].candidates[0].rows).toEqual([0, 1]);
    expect(batch.examples[1].candidates.map((c) => c.rows)).toEqual([[2], [2, 3]]);
    expect([...batch.labelRow]).toEqual([0, 1, 2, 3]);
  });
});
