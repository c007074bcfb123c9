import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addSnapshot, type PromptSnapshot, snapshotLimit } from './history.ts';

const at = (step: number): PromptSnapshot => ({ step, values: Float32Array.of(step) });
const walk = (steps: readonly number[], limit: number) =>
  steps.reduce<PromptSnapshot[]>((history, step) => addSnapshot(history, at(step), limit).history, []);

describe('the history of a run’s prompt', () => {
  test('keeps all while there is room, first and last always, and stays evenly spread', () => {
    expect(walk([0, 5, 10], 60).map(({ step }) => step)).toEqual([0, 5, 10]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 3, max: 60 }), (count, limit) => {
        const steps = walk(
          Array.from({ length: count + 1 }, (_, i) => 5 * i),
          limit,
        ).map(({ step }) => step);
        expect(steps).toHaveLength(Math.min(count + 1, limit));
        expect(steps[0]).toBe(0);
        expect(steps.at(-1)).toBe(5 * count);
        const gaps = steps.slice(1).map((step, i) => step - steps[i]!);
        expect(gaps.every((gap) => gap > 0)).toBe(true);
        // No gap is more than four times the one that even spreading would give.
        expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.max(5, (4 * 5 * count) / (steps.length - 1)));
      }),
    );
  });

  test('going back to a checkpoint forgets what came after it', () => {
    const { history, dropped } = addSnapshot(walk([0, 5, 10, 15], 60), at(10), 60);
    expect(history.map(({ step }) => step)).toEqual([0, 5, 10]);
    expect(dropped.map(({ step }) => step)).toEqual([15]);
  });

  test('a large prompt keeps fewer', () => {
    expect(snapshotLimit(20, 128)).toBe(60);
    expect(snapshotLimit(100, 768)).toBe(13);
    expect(snapshotLimit(150, 4096)).toBe(8);
  });
});
