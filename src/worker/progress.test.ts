import { describe, expect, it } from 'vitest';
import { speedometer } from './progress.ts';
import type { Progress } from './protocol.ts';

/** Reports at the given times (milliseconds) what was done, and gives back what came out. */
function drive(steps: [at: number, done: number, total: number][], from?: number): Progress[] {
  const out: Progress[] = [];
  let time = 0;
  const report = speedometer(
    'Reading',
    'bytes',
    (progress) => out.push(progress),
    () => time,
    from,
  );
  for (const [at, done, total] of steps) {
    time = at;
    report(done, total);
  }
  return out;
}

describe('a speedometer', () => {
  it('tells rate and time left of a steady work', () => {
    const steps = Array.from({ length: 41 }, (_, i): [number, number, number] => [i * 125, i * 125, 10_000]);
    const last = drive(steps).at(-1)!;
    expect(last).toMatchObject({ what: 'Reading', unit: 'bytes', done: 5000, total: 10_000 });
    expect(last.perSecond).toBeCloseTo(1000, 6);
    expect(last.secondsLeft).toBeCloseTo(5, 6);
  });

  it('does not count what was done before', () => {
    const last = drive(
      [
        [0, 5000, 10_000],
        [500, 5500, 10_000],
      ],
      5000,
    ).at(-1)!;
    expect(last.perSecond).toBeCloseTo(1000, 6);
    expect(last.secondsLeft).toBeCloseTo(4.5, 6);
  });

  it('says nothing of time before there is a speed', () => {
    const [first, second, third] = drive([
      [0, 0, 100],
      [150, 10, 100],
      [400, 20, 100],
    ]);
    expect(first).not.toHaveProperty('secondsLeft');
    expect(second).not.toHaveProperty('secondsLeft');
    expect(third!.secondsLeft).toBeGreaterThan(0);
  });

  it('follows a change of speed without jumping to it', () => {
    const steps: [number, number, number][] = [];
    let done = 0;
    for (let at = 0; at <= 10_000; at += 100) {
      steps.push([at, done, 1e6]);
      done += at < 5000 ? 100 : 10;
    }
    const out = drive(steps);
    const rateAt = (at: number) => out[at / 100]!.perSecond!;
    expect(rateAt(5000)).toBeCloseTo(1000, 0);
    expect(rateAt(5100)).toBeGreaterThan(900);
    expect(rateAt(10_000)).toBeLessThan(250);
    expect(rateAt(10_000)).toBeGreaterThan(100);
  });

  it('reports at most ten times a second, but the end always and once', () => {
    const steps = Array.from({ length: 1001 }, (_, i): [number, number, number] => [i, i, 1000]);
    const out = drive([...steps, [1001, 1000, 1000], [1002, 1000, 1000]]);
    expect(out).toHaveLength(11);
    expect(out.at(-1)).toMatchObject({ done: 1000, secondsLeft: 0 });
    const atOnce = drive([
      [0, 0, 5],
      [1, 5, 5],
    ]);
    expect(atOnce.map(({ done }) => done)).toEqual([0, 5]);
  });

  it('waits without dividing by zero while nothing moves', () => {
    const out = drive([
      [0, 0, 10],
      [500, 0, 10],
      [1000, 0, 10],
    ]);
    expect(out).toHaveLength(3);
    expect(out.every((progress) => progress.secondsLeft === undefined)).toBe(true);
  });
});
