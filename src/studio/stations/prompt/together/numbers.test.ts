import { expect, test } from 'vitest';
import type { LabelScore, VoteReport } from '../../../../worker/protocol.ts';
import { barrier, bytesOf, disputed, scoresAt } from './numbers.ts';

test('bytes: one model and prompts, against a model for each task', () => {
  expect(bytesOf(1000, [{ bytes: 10 }, { bytes: 20 }, { bytes: 5 }])).toEqual({
    together: 1035,
    copies: 3000,
  });
});

test('disputed rows are those on which two members differ', () => {
  const row = (...labels: string[]) => ({ votes: labels.map((label) => ({ label, probability: 1 })) });
  const outcomes = [row('a', 'a'), row('a', 'b'), row('b', 'b', 'a')];
  expect(disputed({ outcomes } as unknown as VoteReport)).toEqual([outcomes[1], outcomes[2]]);
});

test('the barrier is the rise over the straight line between the ends', () => {
  const points = (losses: number[]) =>
    losses.map((loss, i) => ({ at: i / (losses.length - 1), loss, accuracy: 0 }));
  expect(barrier(points([1, 2, 0]))).toBeCloseTo(1.5);
  expect(barrier(points([1, 0.5, 0]))).toBe(0);
  expect(barrier(points([1, 0.1, 0]))).toBe(0);
  expect(barrier([])).toBe(0);
});

test('scores between two measured places', () => {
  const scores = (probability: number): LabelScore[] => [{ label: 'a', logLikelihood: 0, probability }];
  const along = [scores(0), scores(0.4), scores(1)];
  expect(scoresAt(along, 0)[0]!.probability).toBe(0);
  expect(scoresAt(along, 0.25)[0]!.probability).toBeCloseTo(0.2);
  expect(scoresAt(along, 0.5)[0]!.probability).toBeCloseTo(0.4);
  expect(scoresAt(along, 1)[0]!.probability).toBe(1);
});
