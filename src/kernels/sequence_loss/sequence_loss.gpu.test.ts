import { describe, expect, test } from 'vitest';
import type { Tensor } from '../kernel.ts';
import {
  allTraits,
  expectClose,
  finiteDifferences,
  randomValues,
  recordingBuilder,
  runKernels,
  type TestData,
  testTensor,
} from '../testing.ts';
import { recordBackward } from '../testing_backward.ts';
import { type LossExample, lossInputs, packTerms } from './pack.ts';
import { exampleLossReference, scoresReference, sequenceLossGradient } from './reference.ts';
import { type LossMode, lseJoin, lsePart, scoreSequences, sequenceLoss } from './sequence_loss.ts';

const MODES: LossMode[] = ['vocabulary', 'verbalizers'];
const inputs = () => lossInputs((name, rows, cols) => testTensor(name, rows, cols, 'input', 'u32'));

/** 6 rows: one-token and longer candidates, shared rows, a row that no term names, an example without target. */
const examples = (V: number): LossExample[] => [
  {
    candidates: [
      { tokens: [1 % V], rows: [0] },
      { tokens: [2 % V, 1 % V, V - 1], rows: [0, 1, 2] },
      // Row 0 predicts the same token for two candidates.
      { tokens: [1 % V, 0], rows: [0, 1] },
    ],
    target: 1,
  },
  { candidates: [{ tokens: [V - 1], rows: [3] }], target: 0 },
  {
    candidates: [
      { tokens: [3 % V], rows: [5] },
      { tokens: [4 % V], rows: [5] },
    ],
    target: 0,
  },
  {
    candidates: [
      { tokens: [5 % V], rows: [5] },
      { tokens: [0], rows: [5] },
    ],
  },
];
const ROWS = 6;

describe.each(MODES)('%s', (mode) => {
  describe.each(allTraits)('%s', (_, traits) => {
    test.each([
      { V: 1, size: 1, tolerance: 1e-6 },
      { V: 7, size: 3, tolerance: 2e-6 },
      { V: 131, size: 5, tolerance: 2e-6 },
      { V: 400, size: 1e4, tolerance: 2e-6 },
      { V: 12_001, size: 4, tolerance: 5e-6 },
      { V: 16_388, size: 2, tolerance: 5e-6 },
    ])('V = $V, logits of size $size: loss, scores and gradient equal float64', async (shape) => {
      const { V, size, tolerance } = shape;
      const list = examples(V);
      const packed = packTerms(list, ROWS);
      const values = randomValues(ROWS * V, 1, size);
      const logits = testTensor('logits', 'N', V);
      const loss = testTensor('loss', 1, 1, 'state');
      const batch = inputs();
      const data = new Map<Tensor, TestData>([
        [logits, values],
        [loss, Float32Array.of(0.25)],
        [batch.terms, packed.terms],
        [batch.rows, packed.rows],
        [batch.candidates, packed.candidates],
        [batch.examples, packed.examples],
      ]);
      const lossScale = 0.125;
      const gradient = sequenceLossGradient(values, V, list, mode, lossScale);
      const losses = exampleLossReference(values, V, list, mode);
      for (const keepLogits of [true, false])
        for (const accumulate of [0, 1]) {
          const b = recordingBuilder(traits);
          const { score, exampleLoss } = sequenceLoss(b, logits, batch, { mode, keepLogits }, { loss });
          const back = recordBackward(traits, b.nodes, []);
          const dlogits = back.grad(logits)!;
          expect(dlogits === logits).toBe(!keepLogits);
          const [gotScore, gotLosses, gotLoss, got, after] = await runKernels(
            [...b.nodes, ...back.nodes].flatMap((n) => n.kernels),
            { N: ROWS, ...packed.sizes, lossScale, accumulate },
            data,
            [score, exampleLoss, loss, dlogits, logits],
          );
          expectClose(gotScore, scoresReference(values, V, list), 2e-6);
          expectClose(gotLosses, losses, tolerance);
          const total = lossScale * losses.reduce((a, l) => a + l, 0) + accumulate * 0.25;
          expectClose(gotLoss, [total], tolerance);
          expectClose(got, gradient, tolerance);
          if (keepLogits) expect(after).toEqual(values);
        }
    });
  });

  test('the gradient formula agrees with finite differences', () => {
    const V = 7;
    const list = examples(V);
    const values = randomValues(ROWS * V, 2, 2);
    const numeric = finiteDifferences(
      (x) => 0.5 * exampleLossReference(x, V, list, mode).reduce((a, l) => a + l, 0),
      values,
    );
    expectClose(sequenceLossGradient(values, V, list, mode, 0.5), numeric, 1e-7);
    expect(numeric.some((v) => Math.abs(v) > 0.1)).toBe(true);
  });
});

test.each(allTraits)('the log-sum-exp joins chunks, %s', async (_, traits) => {
  for (const V of [37, 40, 4]) {
    const logits = testTensor('logits', 3, V);
    const chunks = Math.ceil(V / 16);
    const parts = testTensor('parts', 3, 2 * chunks);
    const lse = testTensor('lse', 3, 2);
    const values = randomValues(3 * V, 3, 2);
    // A whole row far below, and one with a single entry that dwarfs the others.
    for (let v = 0; v < V; v++) values[v] -= 1e4;
    values[V + V - 1] = 1e4;
    const [got] = await runKernels(
      [lsePart(traits, logits, parts, 16), lseJoin(parts, lse)],
      {},
      new Map([[logits, values]]),
      [lse],
    );
    for (let n = 0; n < 3; n++) {
      const row = [...values.slice(n * V, (n + 1) * V)];
      const m = Math.max(...row);
      expect(got[2 * n]).toBe(m);
      expect(got[2 * n + 1]).toBeCloseTo(Math.log(row.reduce((sum, x) => sum + Math.exp(x - m), 0)), 5);
    }
  }
});

test('scores alone', async () => {
  const V = 33;
  const list = examples(V);
  const packed = packTerms(list, ROWS);
  const logits = testTensor('logits', 'N', V);
  const batch = inputs();
  const b = recordingBuilder({ rowLanes: 1 });
  const score = scoreSequences(b, logits, batch);
  const values = randomValues(ROWS * V, 4, 3);
  const [got] = await runKernels(
    b.nodes[0].kernels,
    { N: ROWS, ...packed.sizes },
    new Map<Tensor, TestData>([
      [logits, values],
      [batch.terms, packed.terms],
      [batch.candidates, packed.candidates],
    ]),
    [score],
  );
  expectClose(got, scoresReference(values, V, list), 1e-6);
});
