import { describe, expect, test } from 'vitest';
import {
  dotProduct,
  expectClose,
  finiteDifferences,
  randomValues,
  recordingBuilder,
  runKernels,
  testTensor,
} from '../testing.ts';
import { recordBackward } from '../testing_backward.ts';
import { ACTIVATIONS, activate, gate, gateBackward, gateForward } from './gate.ts';
import { activationReference, activationSlope, erf, gateGradient, gateReference } from './reference.ts';

const traits = { rowLanes: 1 };

describe.each(ACTIVATIONS)('%s', (activation) => {
  test.each([
    [1, 1],
    [3, 7],
    [5, 40],
  ])('gated, %i x %i: forward and backward equal float64', async (rows, f) => {
    const y = testTensor('y', 'T', 2 * f);
    const dh = testTensor('dh', 'T', f);
    const addend = testTensor('addend', 'T', 2 * f);
    const b = recordingBuilder(traits);
    const h = gate(b, y, activation);
    const alone = recordBackward(traits, b.nodes, [[h, dh]]);
    const added = recordBackward(traits, b.nodes, [
      [h, dh],
      [y, addend],
    ]);
    const ys = randomValues(rows * 2 * f, 1, 2);
    const dhs = randomValues(rows * f, 2);
    const adds = randomValues(rows * 2 * f, 3);
    const [gotH, gotDy, gotSum] = await runKernels(
      [...b.nodes, ...alone.nodes, ...added.nodes].flatMap((n) => n.kernels),
      { T: rows },
      new Map([
        [y, ys],
        [dh, dhs],
        [addend, adds],
      ]),
      [h, alone.grad(y)!, added.grad(y)!],
    );
    const gradient = gateGradient(ys, dhs, f, activation);
    expectClose(gotH, gateReference(ys, f, activation), 1e-6);
    expectClose(gotDy, gradient, 1e-6);
    expectClose(
      gotSum,
      gradient.map((v, i) => v + adds[i]),
      1e-6,
    );
  });

  test('ungated, from tiny to huge arguments, is within 1e-6 of float64 everywhere', async () => {
    const near = Array.from({ length: 4001 }, (_, i) => (i - 2000) / 200);
    const far = [1e-30, 1e-6, 12, 15, 44, 50, 89, 100, 1e4, 7e4, 1e15, 3e37].flatMap((x) => [x, -x]);
    const xs = Float32Array.from([...near, ...far, 0, 0, 0]);
    for (const columns of [1, 4]) {
      const y = testTensor('y', xs.length / columns, columns);
      const ones = testTensor('dh', xs.length / columns, columns);
      const [h, dy] = ['h', 'dy'].map((name) => testTensor(name, xs.length / columns, columns));
      const [gotH, gotDy] = await runKernels(
        [gateForward(y, h, activation), gateBackward(y, ones, dy, activation)],
        {},
        new Map([
          [y, xs],
          [ones, xs.map(() => 1)],
        ]),
        [h, dy],
      );
      xs.forEach((x, i) => {
        const value = activationReference[activation](x);
        const slope = activationSlope[activation](x);
        expect(Math.abs(gotH[i] - value), `${activation}(${x})`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(x)),
        );
        expect(Math.abs(gotDy[i] - slope), `d ${activation}(${x})`).toBeLessThan(1.5e-6);
      });
    }
  });

  test('the gradient formula agrees with finite differences', () => {
    const ys = randomValues(12, 5, 2);
    const dhs = randomValues(6, 6);
    const numeric = finiteDifferences((y) => dotProduct(gateReference(y, 3, activation), dhs), ys);
    expectClose(gateGradient(ys, dhs, 3, activation), numeric, 1e-7);
  });
});

test('ungated: what it records', async () => {
  const y = testTensor('y', 'T', 6);
  const dh = testTensor('dh', 'T', 6);
  const b = recordingBuilder(traits);
  const h = activate(b, y, 'relu');
  const back = recordBackward(traits, b.nodes, [[h, dh]]);
  const ys = randomValues(12, 1);
  const [gotH, gotDy] = await runKernels(
    [...b.nodes, ...back.nodes].flatMap((n) => n.kernels),
    { T: 2 },
    new Map([
      [y, ys],
      [dh, ys],
    ]),
    [h, back.grad(y)!],
  );
  expect(gotH).toEqual(ys.map((v) => Math.max(0, v)));
  expect(gotDy.map(Math.abs)).toEqual(gotH);
});

test('erf of the reference', () => {
  // DLMF table 7.23: erf(0.5), erf(1), erf(2).
  expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 14);
  expect(erf(-1)).toBeCloseTo(-0.8427007929497149, 14);
  expect(erf(2)).toBeCloseTo(0.9953222650189527, 14);
});

test('an odd number of columns cannot be gated', () => {
  expect(() => gate(recordingBuilder(traits), testTensor('y', 'T', 7), 'silu')).toThrow('7 columns');
});
