import { describe, expect, test } from 'vitest';
import { adafactor } from './adafactor.ts';
import { optimizeOnCpu } from './cpu.ts';
import { adamw, sgd } from './elementwise.ts';
import type { OptimizerRule } from './optimizer.ts';
import { adafactorReference, adamwReference, clipReference, sgdReference } from './reference.ts';

const ROWS = 3;
const COLS = 5;
const wave = (seed: number, scale = 1) =>
  Float32Array.from({ length: ROWS * COLS }, (_, i) => scale * Math.sin(12.9898 * (i + 1) * seed));

const scalars = {
  learningRate: 0.3,
  weightDecay: 0.01,
  decayRate: 0.8,
  clipThreshold: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  momentum: 0.9,
};
type Reference = (leaf: Parameters<typeof adamwReference>[0], h: Record<string, number>) => void;

const cases: [string, OptimizerRule, Reference][] = [
  ['adamw', adamw, adamwReference],
  ['sgd', sgd, sgdReference],
  ...[
    { factored: false, decayTimesRate: false },
    { factored: true, decayTimesRate: false },
    { factored: true, decayTimesRate: true },
  ].map((settings): [string, OptimizerRule, Reference] => [
    `adafactor ${JSON.stringify(settings)}`,
    adafactor(settings),
    (leaf, h) => adafactorReference(leaf, h, settings),
  ]),
];

const statesOf = <T>(rule: OptimizerRule, make: (length: number) => T) =>
  Object.fromEntries(
    Object.entries(rule.states(ROWS, COLS)).map(([name, [rows, cols]]) => [name, make(rows * cols)]),
  );

describe('optimizers without a GPU', () => {
  test.each(cases)('%s follows the reference over five steps, clipped', (_, rule, reference) => {
    const leaf = {
      rows: ROWS,
      cols: COLS,
      parameter: wave(1),
      states: statesOf(rule, (length) => new Float32Array(length)),
    };
    const expected = {
      rows: ROWS,
      cols: COLS,
      p: Float64Array.from(leaf.parameter),
      g: [] as ArrayLike<number>,
      states: statesOf(rule, (length) => new Float64Array(length)),
    };
    for (let step = 1; step <= 5; step++) {
      const gradient = wave(step + 1, 2);
      const { gradientNorm, skipped } = optimizeOnCpu(rule, leaf, gradient, 1, {
        ...scalars,
        step,
        clipNorm: 0.5,
      });
      expect(skipped).toBe(false);
      expect(gradientNorm).toBeCloseTo(Math.hypot(...gradient), 4);
      reference({ ...expected, g: clipReference(gradient, 0.5) }, { ...scalars, step });
    }
    leaf.parameter.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.p[i], 5);
    });
  });

  test.each([
    ['a gradient that is not a number', Float32Array.of(1, Number.NaN), 1],
    ['a gradient whose square overflows', Float32Array.of(1, 3e38), 1],
    ['a loss that is not finite', Float32Array.of(1, 1), Number.POSITIVE_INFINITY],
  ])('%s changes nothing', (_, gradient, loss) => {
    const leaf = {
      rows: 1,
      cols: 2,
      parameter: Float32Array.of(1, 2),
      states: { m: Float32Array.of(3, 4) },
    };
    expect(optimizeOnCpu(sgd, leaf, gradient, loss, { ...scalars, step: 2, clipNorm: 0 }).skipped).toBe(true);
    expect([...leaf.parameter, ...leaf.states.m]).toEqual([1, 2, 3, 4]);
  });
});
