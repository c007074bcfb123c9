import { expect, test } from 'vitest';
import type { Tensor } from '../kernel.ts';
import {
  dotProduct,
  expectClose,
  finiteDifferences,
  randomValues,
  recordingBuilder,
  runKernels,
  type TestData,
  testTensor,
} from '../testing.ts';
import { recordBackward } from '../testing_backward.ts';
import { embed, embedGradient, embedReference, PROMPT_ROW } from './embed.ts';

/** Values cut to what a half can hold, and their bits. For magnitudes between 2^-14 and 65504. */
function toHalves(values: Float32Array): { values: Float32Array; bits: Uint16Array } {
  const words = new Uint32Array(values.buffer.slice(0)).map((w) => w & 0xffffe000);
  const cut = new Float32Array(words.buffer);
  const bits = Uint16Array.from(
    words,
    (w) => ((w >>> 16) & 0x8000) | (((w & 0x7fffffff) - 0x38000000) >>> 13),
  );
  return { values: cut, bits };
}

/** Sequences of `lengths` tokens, each after the P rows of the prompt. */
function batch(promptRows: number, lengths: number[], vocabulary: number) {
  const ids: number[] = [];
  const promptRow: number[] = [];
  for (const length of lengths) {
    promptRow.push(ids.length);
    for (let p = 0; p < promptRows; p++) ids.push(PROMPT_ROW + p);
    for (let i = 0; i < length; i++) ids.push((ids.length * 7 + 3) % vocabulary);
  }
  return { ids: Uint32Array.from(ids), promptRow: Uint32Array.from(promptRow) };
}

test.each([
  { P: 1, d: 1, lengths: [1], V: 2, dtype: 'f32', scale: 1 },
  { P: 3, d: 7, lengths: [2, 5, 1], V: 11, dtype: 'f32', scale: 6.5 },
  { P: 5, d: 40, lengths: [9, 1, 13, 4], V: 31, dtype: 'f32', scale: 1 },
  { P: 5, d: 40, lengths: [9, 1, 13, 4], V: 31, dtype: 'f16', scale: Math.fround(Math.sqrt(40)) },
  { P: 2, d: 6, lengths: [3, 2], V: 10, dtype: 'f16', scale: 1 },
] as const)('P = $P, d = $d, $dtype, scale $scale: forward and backward equal float64', async (shape) => {
  const { P, d, V, dtype, scale } = shape;
  const { ids, promptRow } = batch(P, [...shape.lengths], V);
  const exact = randomValues(V * d, 1);
  const halves = toHalves(exact);
  const prompts = randomValues(P * d, 2);
  const dxs = randomValues(ids.length * d, 3);
  const held = randomValues(P * d, 4);

  const idsT = testTensor('ids', 'T', 1, 'input', 'u32');
  const table = testTensor('table', V, d, 'weight', dtype);
  const prompt = testTensor('prompt', P, d, 'state');
  const into = testTensor('d prompt', P, d, 'state');
  const rows = testTensor('promptRow', 'S', 1, 'input', 'u32');
  const dx = testTensor('dx', 'T', d);
  const traits = { rowLanes: 1 };
  const b = recordingBuilder(traits);
  const x = embed(b, idsT, table, { name: 'x', scale, prompt, gradient: { into, promptRow: rows } });
  const back = recordBackward(traits, b.nodes, [[x, dx]]);
  expect(back.grad(prompt)).toBe(into);

  const gradient = embedGradient(ids, dxs, P, d);
  for (const accumulate of [0, 1]) {
    const [gotX, gotGradient] = await runKernels(
      [...b.nodes, ...back.nodes].flatMap((n) => n.kernels),
      { T: ids.length, S: promptRow.length, accumulate },
      new Map<Tensor, TestData>([
        [idsT, ids],
        [table, dtype === 'f16' ? halves.bits : exact],
        [prompt, prompts],
        [rows, promptRow],
        [dx, dxs],
        [into, held],
      ]),
      [x, into],
    );
    expectClose(gotX, embedReference(ids, dtype === 'f16' ? halves.values : exact, prompts, d, scale), 1e-6);
    expectClose(
      gotGradient,
      gradient.map((v, i) => v + accumulate * held[i]),
      1e-6,
    );
  }
});

test('without a prompt there is no backward pass', async () => {
  const traits = { rowLanes: 1 };
  const b = recordingBuilder(traits);
  const ids = testTensor('ids', 3, 1, 'input', 'u32');
  const table = testTensor('table', 4, 3, 'weight');
  const x = embed(b, ids, table, { name: 'x' });
  expect(recordBackward(traits, b.nodes, [[x, testTensor('dx', 3, 3)]]).nodes).toEqual([]);
  const rows = randomValues(12, 1);
  const [got] = await runKernels(
    b.nodes[0].kernels,
    {},
    new Map<Tensor, TestData>([
      [ids, Uint32Array.of(3, 0, 2)],
      [table, rows],
    ]),
    [x],
  );
  expect([...got]).toEqual([3, 0, 2].flatMap((i) => [...rows.slice(3 * i, 3 * i + 3)]));
});

test('the gradient formula agrees with finite differences', () => {
  const { ids } = batch(2, [1, 3], 5);
  const table = randomValues(15, 1);
  const prompt = randomValues(6, 2);
  const dx = randomValues(ids.length * 3, 3);
  const numeric = finiteDifferences((p) => dotProduct(embedReference(ids, table, p, 3), dx), prompt);
  expectClose(embedGradient(ids, dx, 2, 3), numeric, 1e-7);
});
