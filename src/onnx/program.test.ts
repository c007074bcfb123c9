import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Tensor } from '../kernels/index.ts';
import type { LoweredGraph } from './lower.ts';
import { createOnnxProgram } from './program.ts';
import type { OnnxRuntime } from './runtime.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const weight: Tensor = { id: 1, name: 'w', rows: 1024, cols: 64, dtype: 'f32', kind: 'weight' };
const BYTES = 1024 * 64 * 4;
const graph: LoweredGraph = {
  nodes: [],
  constants: [],
  weights: new Map([['w', weight]]),
  states: new Map(),
  feeds: [],
  inputs: [],
  outputs: [],
};

/** A runtime that takes files and computes nothing; `created` are the options of its sessions. */
function fakeRuntime() {
  const created: { bytes: number; extra: unknown }[] = [];
  const create = async (
    _: Uint8Array,
    { externalData, extra }: { externalData: { data: Uint8Array }[]; extra?: unknown },
  ) => {
    created.push({ bytes: externalData.reduce((sum, { data }) => sum + data.byteLength, 0), extra });
    return { release: async () => {} };
  };
  return { ort: { InferenceSession: { create } } as unknown as OnnxRuntime, created };
}

test('once the runtime has its copy, nothing else keeps the weights', async () => {
  let given: WeakRef<ArrayBuffer> | undefined;
  const { ort, created } = fakeRuntime();
  const program = await createOnnxProgram(ort, graph, async () => {
    const values = new Float32Array(BYTES / 4);
    given = new WeakRef(values.buffer);
    return values;
  });
  expect(created[0]!.bytes).toBe(BYTES);
  // What a job has looked at lives to its end.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  expect(given!.deref()).toBeUndefined();
  expect(program.bytes).toBe(BYTES);
});

test('above a size the runtime keeps no second copy of the weights for its products', async () => {
  const { ort, created } = fakeRuntime();
  const values = async () => new Float32Array(BYTES / 4);
  await createOnnxProgram(ort, graph, values);
  await createOnnxProgram(ort, graph, values, { packUpTo: BYTES });
  await createOnnxProgram(ort, graph, values, { packUpTo: BYTES - 1 });
  expect(created.map(({ extra }) => extra)).toEqual([
    undefined,
    undefined,
    { session: { disable_prepacking: '1' } },
  ]);
});
