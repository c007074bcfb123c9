import { describe, expect, test } from 'vitest';
import { startPrompt, type Vocabulary } from './init.ts';

const width = 3;
const vocabulary: Vocabulary = {
  width,
  embedding: Float32Array.from({ length: 30 }, (_, i) => i),
  byFrequency: [2, 3, 4, 5, 6, 7, 8, 9],
  token: (id) => `t${id}`,
  encode: (text) => text.split(' ').filter(Boolean).map(Number),
};
const row = (values: Float32Array, p: number) => [...values.slice(p * width, (p + 1) * width)];
const embedded = (id: number) => [id * 3, id * 3 + 1, id * 3 + 2];

describe('startPrompt', () => {
  test('random: within the range, over all of it, the same for the same seed', () => {
    const start = () => startPrompt({ kind: 'random', range: 0.5 }, 100, 3, vocabulary, []).values;
    expect(Math.max(...start())).toBeLessThanOrEqual(0.5);
    expect(Math.max(...start())).toBeGreaterThan(0.45);
    expect(Math.min(...start())).toBeLessThan(-0.45);
    expect(start()).toEqual(start());
    expect(startPrompt({ kind: 'random', range: 0.5 }, 100, 4, vocabulary, []).values).not.toEqual(start());
  });

  test('vocabulary: distinct rows of the most likely tokens', () => {
    const { values, startedFrom } = startPrompt({ kind: 'vocabulary', mostLikely: 4 }, 4, 1, vocabulary, []);
    expect([...startedFrom].sort()).toEqual(['t2', 't3', 't4', 't5']);
    startedFrom.forEach((word, p) => {
      expect(row(values, p)).toEqual(embedded(Number(word?.slice(1))));
    });
  });

  test('labels: a label of two tokens starts at their mean, the rest comes from the vocabulary', () => {
    const { values, startedFrom } = startPrompt({ kind: 'labels', mostLikely: 8 }, 3, 1, vocabulary, [
      [2],
      [4, 6],
    ]);
    expect(row(values, 0)).toEqual(embedded(2));
    expect(row(values, 1)).toEqual(embedded(5));
    expect(startedFrom.slice(0, 2)).toEqual(['t2', 't4t6']);
    expect(startedFrom[2]).toMatch(/^t\d$/);
  });

  test('labels: fewer rows than labels takes the first', () => {
    expect(startPrompt({ kind: 'labels', mostLikely: 8 }, 1, 1, vocabulary, [[2], [4]]).startedFrom).toEqual([
      't2',
    ]);
  });

  test('text: repeated to the length; no tokens is refused', () => {
    expect(startPrompt({ kind: 'text', text: '3 4' }, 3, 1, vocabulary, []).startedFrom).toEqual([
      't3',
      't4',
      't3',
    ]);
    expect(() => startPrompt({ kind: 'text', text: ' ' }, 3, 1, vocabulary, [])).toThrow(/no tokens/);
  });
});
