import { describe, expect, test } from 'vitest';
import type { RunEvent } from './protocol.ts';
import { createStepFeed } from './runEvents.ts';

function feed(stepMs: number, steps: number) {
  const events: RunEvent[] = [];
  let at = 1000;
  const own = createStepFeed((event) => events.push(event), { steps: 100, gpuBytes: () => 7, now: () => at });
  const scenes: number[] = [];
  for (let step = 1; step <= steps; step++) {
    if (own.wantsScene()) scenes.push(step);
    at += stepMs;
    own.step(step, { loss: 1, gradNorm: 1, finite: true, tokens: 50 });
  }
  own.flush();
  return { messages: events.filter((event) => event.type === 'steps'), scenes };
}

describe('the feed of steps', () => {
  test('every step arrives once, in order, in at most ten messages a second', () => {
    const { messages } = feed(10, 100);
    expect(messages.flatMap((m) => m.records.map((r) => r.step))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    expect(messages.length).toBeLessThanOrEqual(12);
  });

  test('speed and time left are those of the last steps', () => {
    const last = feed(100, 50).messages.at(-1)!;
    expect(last.stepsPerSecond).toBeCloseTo(10, 5);
    expect(last.tokensPerSecond).toBeCloseTo(500, 5);
    expect(last.secondsLeft).toBeCloseTo(5, 5);
    expect(last.gpuBytes).toBe(7);
  });

  test('a scene is granted at most ten times a second, and on every slow step', () => {
    expect(feed(10, 100).scenes.length).toBeLessThanOrEqual(10);
    expect(feed(400, 5).scenes).toHaveLength(5);
  });
});
