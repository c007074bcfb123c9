import { describe, expect, test } from 'vitest';
import { createGraph } from '../graph/index.ts';
import { type LossMode, lossInputs, packTerms, scoreSequences, sequenceLoss } from '../kernels/index.ts';
import type { LossExample } from '../kernels/sequence_loss/pack.ts';
import {
  exampleLossReference,
  scoresReference,
  sequenceLossGradient,
} from '../kernels/sequence_loss/reference.ts';
import { expectClose, input, noise, runOnnx, state, type Values } from './testing.ts';

const COLUMNS = 11;
const ROWS = 6;

/** Candidates of different lengths that share rows and tokens, one example of one candidate, and one without a right answer. */
const examples: LossExample[] = [
  {
    candidates: [
      { tokens: [3, 5], rows: [0, 1] },
      { tokens: [3, 7], rows: [0, 1] },
      { tokens: [9], rows: [0] },
    ],
    target: 1,
  },
  { candidates: [{ tokens: [2, 2, 4], rows: [2, 3, 4] }], target: 0 },
  {
    candidates: [
      { tokens: [1], rows: [5] },
      { tokens: [8], rows: [5] },
    ],
  },
];

function setup() {
  const logits = state('logits', 'N', COLUMNS);
  const inputs = lossInputs((name, rows, cols) => input(name, rows as string, cols));
  const packed = packTerms(examples, ROWS);
  const values: Values = new Map<typeof logits, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>([
    [logits, noise(ROWS * COLUMNS, 1, 3)],
  ]);
  for (const name of ['terms', 'rows', 'candidates', 'examples'] as const)
    values.set(inputs[name], packed[name]);
  return { logits, inputs, values, dims: { N: ROWS, ...packed.sizes, lossScale: 0.25 } };
}

describe('label sequences', () => {
  test.each<LossMode>(['vocabulary', 'verbalizers'])('loss over the %s, and its gradient', async (mode) => {
    const { logits, inputs, values, dims } = setup();
    const graph = createGraph({ rowLanes: 1 }, [logits]);
    const loss = state('loss', 1, 1);
    sequenceLoss(graph, logits, inputs, { mode, keepLogits: true }, { loss });
    const gradient = graph.backward(loss).get(logits)!;
    const found = await runOnnx(graph, { loss, gradient }, values, dims);
    const xs = values.get(logits)!;
    const wanted = exampleLossReference(xs, COLUMNS, examples, mode).reduce((sum, one) => sum + one, 0);
    expect(found.loss[0]).toBeCloseTo(0.25 * wanted, 5);
    expectClose(found.gradient, sequenceLossGradient(xs, COLUMNS, examples, mode, 0.25));
  });

  test('scores of all candidates', async () => {
    const { logits, inputs, values, dims } = setup();
    const graph = createGraph({ rowLanes: 1 });
    const score = scoreSequences(graph, logits, inputs);
    const found = await runOnnx(graph, { score }, values, dims);
    expectClose(found.score, scoresReference(values.get(logits)!, COLUMNS, examples));
  });
});
