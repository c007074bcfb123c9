import { expect, test } from 'vitest';
import { type MemoryPrediction, planBatch } from './memory.ts';

const LAYERS = 10;
/** Bytes and work of a made-up model: each layer leaves one byte an example, run again it costs half its work more. */
const predict =
  (once: number) =>
  (batch: number, recompute: number): MemoryPrediction => ({
    weights: 0,
    activations: batch * (LAYERS - recompute + 1),
    total: 0,
    largest: 0,
    lowerBound: 0,
    rows: 1000 * batch,
    flops: (once + batch) * (2 * LAYERS + recompute),
  });
const within = (bytes: number) => (memory: MemoryPrediction) => memory.activations <= bytes;

test('a batch that fits is taken at once', () => {
  expect(planBatch(predict(0), within(88), LAYERS, 8)).toMatchObject({
    microBatch: 8,
    recompute: 0,
    largestBatch: 8,
  });
});

test("where every row is an example's own, smaller batches cost nothing and layers run again would", () => {
  expect(planBatch(predict(0), within(44), LAYERS, 8)).toMatchObject({ microBatch: 4, recompute: 0 });
});

test('where a shared prompt is computed for each micro-batch, layers run again are cheaper: as few as needed', () => {
  expect(planBatch(predict(100), within(44), LAYERS, 8)).toMatchObject({ microBatch: 8, recompute: 6 });
});

test('a batch that fits neither way is cut as well', () => {
  const plan = planBatch(predict(100), within(4), LAYERS, 8);
  expect(plan.microBatch).toBeLessThan(8);
  expect(within(4)(plan.memory)).toBe(true);
});
