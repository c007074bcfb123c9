import { expect, test } from 'vitest';
import { randomValues, recordingBuilder, runKernels, testTensor } from '../testing.ts';
import { recordBackward } from '../testing_backward.ts';
import { gatherRows, invertRows } from './gather_rows.ts';

const traits = { rowLanes: 1 };

test.each([
  [1, 1, [0]],
  [9, 7, [8, 0, 3]],
  [67, 40, [66, 1, 2, 30, 64]],
])('%i x %i, rows %j: forward, backward, backward with an addend', async (rows, cols, picked) => {
  const x = testTensor('x', 'D', cols);
  const index = testTensor('index', 'N', 1, 'input', 'u32');
  const inverse = testTensor('inverse', 'D', 1, 'input', 'u32');
  const dy = testTensor('dy', 'N', cols);
  const other = testTensor('other', 'D', cols);
  const b = recordingBuilder(traits);
  const y = gatherRows(b, x, index, inverse);
  const alone = recordBackward(traits, b.nodes, [[y, dy]]);
  const added = recordBackward(traits, b.nodes, [
    [y, dy],
    [x, other],
  ]);
  const xs = randomValues(rows * cols, 1);
  const dys = randomValues(picked.length * cols, 2);
  const others = randomValues(rows * cols, 3);
  const [gotY, gotDx, gotSum] = await runKernels(
    [...b.nodes, ...alone.nodes, ...added.nodes].flatMap((n) => n.kernels),
    { D: rows, N: picked.length },
    new Map<typeof x, Float32Array | Uint32Array>([
      [x, xs],
      [index, Uint32Array.from(picked)],
      [inverse, invertRows(picked, rows)],
      [dy, dys],
      [other, others],
    ]),
    [y, alone.grad(x)!, added.grad(x)!],
  );
  const row = (values: Float32Array, r: number) => values.slice(r * cols, (r + 1) * cols);
  expect([...gotY]).toEqual(picked.flatMap((r) => [...row(xs, r)]));
  const dx = new Float32Array(rows * cols);
  picked.forEach((r, n) => {
    dx.set(row(dys, n), r * cols);
  });
  expect(gotDx).toEqual(dx);
  expect(gotSum).toEqual(dx.map((v, i) => v + others[i]));
});

test('an index with repeats has no inverse', () => {
  expect(() => invertRows([1, 2, 1], 3)).toThrow('row 1 is gathered twice');
  expect(() => invertRows([3], 3)).toThrow('row 3 of 3');
});
