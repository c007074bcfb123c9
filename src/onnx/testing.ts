/** For tests only: runs a recorded graph on ONNX Runtime in Node, and differentiates it through a given gradient. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { createGraph, type Graph, makeTensor } from '../graph/index.ts';
import type { Dims, Tensor } from '../kernels/index.ts';
import { createOnnxProgram, loadRuntime, lowerGraph, type OnnxRuntime } from './index.ts';

const WASM = '../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';

/** The runtime of a test process, one thread. */
export const testRuntime = (): Promise<OnnxRuntime> =>
  loadRuntime({ threads: 1, wasm: readFileSync(fileURLToPath(new URL(WASM, import.meta.url))) });

/** Values of a run's tensors: weights as f32 or halves, states as f32, inputs as u32. */
export type Values = Map<
  Tensor,
  Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>
>;

export const noise = (count: number, seed: number, scale = 1): Float32Array<ArrayBuffer> => {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * (state / 2 ** 31 - 1);
  });
};

export const state = (name: string, rows: number | string, cols: number): Tensor =>
  makeTensor('state', name, rows, cols);
export const weight = (name: string, rows: number, cols: number): Tensor =>
  makeTensor('weight', name, rows, cols);
export const input = (name: string, rows: string, cols: number): Tensor =>
  makeTensor('input', name, rows, cols, 'u32');

/** A graph whose loss is sum(y dy), so that the gradients of `leaves` are those of y for the incoming gradient dy. */
export function differentiated(
  leaves: readonly Tensor[],
  build: (graph: Graph) => Tensor,
): { graph: Graph; y: Tensor; dy: Tensor; gradients: Map<Tensor, Tensor> } {
  const graph = createGraph({ rowLanes: 1 }, leaves);
  const y = build(graph);
  const dy = state('dy', y.rows, y.cols);
  const loss = state('loss', 1, 1);
  graph.record({
    op: 'probe',
    inputs: [y],
    outputs: [loss],
    kernels: [],
    onnx: (e) =>
      e.set(loss, e.node('ReduceSum', [e.node('Mul', [e.value(y), e.value(dy)])], { keepdims: 1 })),
    vjp: (back) => back.contribute(y, { kind: 'pass', tensor: dy }),
  });
  return { graph, y, dy, gradients: graph.backward(loss) };
}

/** Runs what the outputs need. */
export async function runOnnx<Name extends string>(
  graph: Graph,
  outputs: Record<Name, Tensor>,
  values: Values,
  dims: Dims,
): Promise<Record<Name, Float32Array>> {
  const lowered = lowerGraph(graph.nodes, { outputs });
  const program = await createOnnxProgram<Name>(await testRuntime(), lowered, async (tensor) => {
    const found = values.get(tensor);
    if (!found) throw new Error(`${tensor.name} has no values`);
    return found instanceof Uint16Array ? new Uint8Array(found.buffer) : (found as Float32Array<ArrayBuffer>);
  });
  const states = Object.fromEntries(
    [...lowered.states].map(([name, tensor]) => {
      const own = values.get(tensor) as Float32Array;
      return [name, { values: own, rows: own.length / tensor.cols }];
    }),
  );
  const inputs = new Map([...values].filter(([tensor]) => tensor.kind === 'input')) as Map<
    Tensor,
    Uint32Array
  >;
  const found = await program.run({ dims, inputs, states });
  await program.destroy();
  return found as Record<Name, Float32Array>;
}

/** max |a - b| / max |b| is at most `allowed`. */
export function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, allowed = 2e-6): void {
  expect(a.length).toBe(b.length);
  const top = Array.from(b).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  const off = Array.from(b).reduce((most, value, i) => Math.max(most, Math.abs(a[i] - value)), 0);
  expect(off / top).toBeLessThanOrEqual(allowed);
}
