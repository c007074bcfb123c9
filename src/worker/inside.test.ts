import { describe, expect, test } from 'vitest';
import { pca2 } from '../prompts/index.ts';
import { evenly, shownBy, withoutRow } from './inside.ts';
import { rowsToShow } from './keptRun.ts';
import { createMeasuring, meanAndError } from './measuring.ts';
import type { PreparedTask } from './preparedTask.ts';
import { createRunHistory } from './runHistory.ts';
import { between, majorityOf } from './together.ts';

test('words of the map are spread evenly over the vocabulary', () => {
  const list = Array.from({ length: 1000 }, (_, i) => i);
  expect(evenly(list, 4)).toEqual([0, 250, 500, 750]);
  expect(evenly([1, 2], 4)).toEqual([1, 2]);
});

test('a prompt without one of its rows', () => {
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  expect([...withoutRow(values, 2, 0)]).toEqual([3, 4, 5, 6]);
  expect([...withoutRow(values, 2, 1)]).toEqual([1, 2, 5, 6]);
  expect([...withoutRow(values, 2, 2)]).toEqual([1, 2, 3, 4]);
});

test('what a plane shows of rows: all of those that lie in it, nothing of those across', () => {
  // A cloud in the first two of three axes.
  const plane = pca2(Float32Array.of(3, 0, 0, -3, 0, 0, 0, 1, 0, 0, -1, 0), 3);
  expect(shownBy(plane, Float32Array.of(5, 7, 0))).toBeCloseTo(1, 5);
  expect(shownBy(plane, Float32Array.of(0, 0, 9))).toBeCloseTo(0, 5);
  expect(shownBy(plane, Float32Array.of(3, 0, 4))).toBeCloseTo(9 / 25, 5);
});

test('a majority, its ties broken by the mean probability', () => {
  expect(majorityOf([0, 1, 1], [0.9, 0.1])).toBe(1);
  expect(majorityOf([0, 1], [0.4, 0.6])).toBe(1);
  expect(majorityOf([0, 1], [0.6, 0.4])).toBe(0);
  expect(majorityOf([0, 1], [0.5, 0.5])).toBe(0);
  expect(majorityOf([2, 0, 2, 1], [0.5, 0.3, 0.2])).toBe(2);
});

test('between two prompts', () => {
  const [a, b] = [Float32Array.of(0, 2), Float32Array.of(4, -2)];
  expect([...between(a, b, 0)]).toEqual([0, 2]);
  expect([...between(a, b, 0.25)]).toEqual([1, 1]);
  expect([...between(a, b, 1)]).toEqual([4, -2]);
});

test('mean and standard error', () => {
  expect(meanAndError([1, 2, 3, 4])).toEqual({ mean: 2.5, error: Math.sqrt(5 / 3 / 4) });
  expect(meanAndError([7])).toEqual({ mean: 7, error: 0 });
});

test('a measurement that is stopped ends with `cancelled`, the next one does not', async () => {
  const measuring = createMeasuring();
  const step = () => new Promise((resolve) => setTimeout(resolve, 1));
  const work = () =>
    measuring.run(async (signal) => {
      for (let i = 0; i < 20; i++) {
        signal.throwIfAborted();
        await step();
      }
      return 'done';
    });
  const first = work();
  await step();
  measuring.stop();
  await expect(first).rejects.toMatchObject({ code: 'cancelled', remedy: expect.any(String) });
  expect(await work()).toBe('done');
});

test('rows to show a prompt on: short, of every label in turn', () => {
  const example = (text: string, label: number) => ({ row: 0, part: 'dev' as const, text, label, ids: [] });
  const task = {
    labels: ['a', 'b'],
    dev: [0, 1, 2, 3, 4],
    examples: [
      example('one', 0),
      example('x'.repeat(500), 1),
      example('two', 0),
      example('three', 1),
      example('four', 1),
    ],
  } as unknown as PreparedTask;
  expect(rowsToShow(task).map(({ text, label }) => `${text} ${label}`)).toEqual([
    'one a',
    'three b',
    'two a',
    'four b',
  ]);
});

describe('a run’s history', () => {
  const store = () => {
    const kept = new Map<string, Float32Array<ArrayBuffer>>();
    return {
      kept,
      putSnapshot: async (run: string, step: number, values: Float32Array) =>
        void kept.set(`${run} ${step}`, values.slice()),
      dropSnapshots: async (run: string, steps: readonly number[]) => {
        for (const step of steps) kept.delete(`${run} ${step}`);
      },
      snapshots: async (run: string) =>
        [...kept]
          .filter(([key]) => key.startsWith(`${run} `))
          .map(([key, values]) => ({ step: Number(key.split(' ')[1]), values }))
          .sort((a, b) => a.step - b.step),
    };
  };

  test('is thinned in the browser as it is in memory, and comes back on another day', async () => {
    const kept = store();
    const history = createRunHistory(async () => kept);
    await history.of('a');
    for (let step = 0; step <= 20; step++) history.add('a', { step, values: Float32Array.of(step) }, 5);
    const steps = (await history.of('a')).map(({ step }) => step);
    expect(steps).toHaveLength(5);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const later = createRunHistory(async () => kept);
    expect((await later.of('a')).map(({ step }) => step)).toEqual(steps);
    expect((await later.of('a')).map(({ values }) => values[0])).toEqual(steps);
  });

  test('lives as long as the page where the browser keeps nothing', async () => {
    const history = createRunHistory(async () => undefined);
    history.add('a', { step: 0, values: Float32Array.of(1) }, 5);
    expect(await history.of('a')).toHaveLength(1);
    history.forget('a');
    expect(await history.of('a')).toEqual([]);
  });
});
