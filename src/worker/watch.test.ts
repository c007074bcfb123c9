import { describe, expect, test } from 'vitest';
import type { StepRecord } from './protocol.ts';
import { createRunWatch } from './watch.ts';

const LABELS = ['cat', 'dog'];
const course = (losses: number[]): StepRecord[] =>
  losses.map((loss, i) => ({ step: i + 1, loss, gradNorm: 1 }));
const falling = course(Array.from({ length: 120 }, (_, i) => 2 - i / 100));

describe('the watch of a run', () => {
  test('one label only, three times in a row, is told once', () => {
    const watch = createRunWatch();
    const codes = [1, 2, 3, 4].map((n) =>
      watch.evaluated(n * 10, 1, [1, 1, 1], LABELS, []).map((notice) => notice.code),
    );
    expect(codes).toEqual([[], [], ['one-label'], []]);
  });

  test('two labels in between start the count anew', () => {
    const watch = createRunWatch();
    for (const predicted of [
      [0, 0],
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 0],
    ])
      expect(watch.evaluated(10, 1, predicted, LABELS, [])).toEqual([]);
  });

  test('a rising loss means a rate too large, a level one too small', () => {
    const rising = course(Array.from({ length: 80 }, (_, i) => 1 + i / 20));
    const [large] = createRunWatch().evaluated(80, 1, [0, 1], LABELS, rising);
    expect(large).toMatchObject({ code: 'rate-too-large', remedy: expect.stringContaining('learning rate') });
    const [small] = createRunWatch().evaluated(120, 1, [0, 1], LABELS, course(new Array(120).fill(1.5)));
    expect(small.code).toBe('rate-too-small');
    expect(createRunWatch().evaluated(120, 1, [0, 1], LABELS, falling)).toEqual([]);
  });

  test('a dev loss that rises while the training loss falls is overfitting', () => {
    const watch = createRunWatch();
    const codes = [1, 1.1, 1.2, 1.3].map((loss) =>
      watch.evaluated(120, loss, [0, 1], LABELS, falling).map((n) => n.code),
    );
    expect(codes).toEqual([[], [], [], ['overfitting']]);
  });
});
