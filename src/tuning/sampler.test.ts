import { expect, test } from 'vitest';
import { createSampler } from './sampler.ts';

test('every example once an epoch, in another order each time, batches run on over the end', () => {
  const sampler = createSampler(10, 4, 7);
  const stream = [1, 2, 3, 4, 5].flatMap((step) => sampler.batch(step));
  const sorted = (part: number[]) => [...part].sort((a, b) => a - b);
  expect(sorted(stream.slice(0, 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(sorted(stream.slice(10, 20))).toEqual(sorted(stream.slice(0, 10)));
  expect(stream.slice(10, 20)).not.toEqual(stream.slice(0, 10));
});

test('a step is the same however one comes to it', () => {
  const fresh = createSampler(10, 4, 7).batch(9);
  const sampler = createSampler(10, 4, 7);
  for (let step = 1; step <= 8; step++) sampler.batch(step);
  expect(sampler.batch(9)).toEqual(fresh);
  expect(createSampler(10, 4, 8).batch(9)).not.toEqual(fresh);
});

test('a batch larger than the set repeats it', () => {
  expect(createSampler(3, 6, 1).batch(1)).toHaveLength(6);
});
