import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { PreludeError } from '../errors.ts';
import { type Dims, size, type Tensor } from '../kernels/index.ts';
import { IR_VERSION, inputName, type LoweredGraph, OPSET } from './lower.ts';
import { encodeModel, type TensorProto } from './proto.ts';
import type { OnnxRuntime } from './runtime.ts';

/** Values of a frozen matrix: f32, or the halves of an f16 one. */
export type FrozenValues = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** A batch for a program: what the shaders would read, and the states that are inputs here. */
export interface OnnxRun {
  dims: Dims;
  inputs: ReadonlyMap<Tensor, Uint32Array>;
  /** [rows, cols], by the name of the input. */
  states: Readonly<Record<string, { values: Float32Array; rows: number }>>;
}

/** A graph loaded into ONNX Runtime: any batch, no capacity. */
export interface OnnxProgram<Name extends string = string> {
  /** Outputs by name. They stay valid until garbage collection takes them. */
  run(run: OnnxRun): Promise<Record<Name, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>>;
  /** Bytes of the frozen matrices inside the runtime, at least. */
  readonly bytes: number;
  destroy(): Promise<void>;
}

/** Little constants go into the file; larger ones are handed over beside it, uncopied. */
const INLINE_BYTES = 1024;

/**
 * The file of a graph with its weights beside it, each under a name of its own.
 * @param valuesOf gives each frozen matrix, once.
 */
export async function encodeProgram(
  graph: LoweredGraph,
  valuesOf: (weight: Tensor) => Promise<FrozenValues>,
): Promise<{
  model: Uint8Array<ArrayBuffer>;
  externalData: { path: string; data: Uint8Array }[];
  /** Of all weights. */
  bytes: number;
}> {
  const initializers: TensorProto[] = [...graph.constants];
  const externalData: { path: string; data: Uint8Array }[] = [];
  let bytes = 0;
  for (const [name, tensor] of graph.weights) {
    const values = await valuesOf(tensor);
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const dtype = tensor.dtype === 'f16' ? 'f16' : 'f32';
    const location = `weight_${externalData.length}`;
    const inline = data.byteLength <= INLINE_BYTES;
    if (!inline) externalData.push({ path: location, data });
    bytes += data.byteLength;
    initializers.push({
      name,
      dtype,
      shape: [tensor.rows as number, tensor.cols],
      data: inline ? data : { location, offset: 0, length: data.byteLength },
    });
  }
  const model = encodeModel({
    graphName: 'prelude',
    doc: '',
    opset: OPSET,
    irVersion: IR_VERSION,
    nodes: graph.nodes,
    initializers,
    inputs: graph.inputs,
    outputs: graph.outputs,
  });
  return { model, externalData, bytes };
}

/** What a run gives the graph, by the name of the input. */
export function programInputs(
  graph: LoweredGraph,
  { dims, inputs, states }: OnnxRun,
): Map<string, { dtype: 'f32' | 'i32'; data: Float32Array | Int32Array; shape: readonly number[] }> {
  const found: ReturnType<typeof programInputs> = new Map();
  for (const [name, tensor] of graph.states) {
    const state = states[name];
    if (!state) throw new Error(`${name} is an input of this program, but the run has none`);
    found.set(name, { dtype: 'f32', data: state.values, shape: [state.rows, tensor.cols] });
  }
  const namesOf = new Map([...graph.states].map(([name, tensor]) => [tensor, name]));
  const batch = {
    dims,
    read(tensor: Tensor) {
      const data = inputs.get(tensor);
      if (!data) throw new Error(`${tensor.name} is not part of this batch`);
      return data;
    },
    rows: (state: Tensor) => states[namesOf.get(state) ?? '']?.rows ?? size(dims, state.rows),
  };
  for (const feed of graph.feeds) {
    const { data, shape } = feed.compute(batch);
    found.set(inputName(feed), { dtype: feed.dtype === 'f32' ? 'f32' : 'i32', data, shape });
  }
  return found;
}

export interface ProgramSettings {
  /**
   * Bytes of all weights up to which the runtime may keep each matrix once more as its product likes to read it, for either direction.
   * Beyond it steps take longer, and up to two thirds less memory. Default: any size.
   */
  packUpTo?: number;
}

/** @param valuesOf gives each frozen matrix, once. */
export async function createOnnxProgram<Name extends string>(
  ort: OnnxRuntime,
  graph: LoweredGraph,
  valuesOf: (weight: Tensor) => Promise<FrozenValues>,
  settings: ProgramSettings = {},
): Promise<OnnxProgram<Name>> {
  const { session, bytes } = await openSession(ort, graph, valuesOf, settings);
  return {
    bytes,
    async run(run) {
      const feeds: Record<string, OrtTensor> = {};
      for (const [name, { dtype, data, shape }] of programInputs(graph, run))
        feeds[name] =
          dtype === 'f32'
            ? new ort.Tensor('float32', data as Float32Array, shape)
            : new ort.Tensor('int32', data as Int32Array, shape);
      const results = await saidPlainly(() => session.run(feeds));
      const found = {} as Record<Name, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>;
      for (const { name } of graph.outputs)
        found[name as Name] = results[name].data as Float32Array<ArrayBuffer>;
      return found;
    },
    destroy: () => session.release(),
  };
}

/** Apart from the program, whose functions would keep the weights' arrays alive beside the runtime's own copy. */
async function openSession(
  ort: OnnxRuntime,
  graph: LoweredGraph,
  valuesOf: (weight: Tensor) => Promise<FrozenValues>,
  { packUpTo = Number.POSITIVE_INFINITY }: ProgramSettings,
): Promise<{ session: InferenceSession; bytes: number }> {
  const { model, externalData, bytes } = await encodeProgram(graph, valuesOf);
  const session = await saidPlainly(() =>
    ort.InferenceSession.create(model, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      externalData,
      ...(bytes <= packUpTo ? {} : { extra: { session: { disable_prepacking: '1' } } }),
    }),
  );
  return { session, bytes };
}

/** WASM has 4 GiB at most; what it says when they are used up depends on who asked last. */
const OUT_OF_MEMORY = /bad_alloc|out of memory|failed to allocate|array buffer allocation|aborted\(\)/i;

/** @throws PreludeError `out-of-memory` where the runtime says so in its own words */
async function saidPlainly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !OUT_OF_MEMORY.test(error.message)) throw error;
    throw new PreludeError('out-of-memory', 'ONNX Runtime has no memory left for this model and batch.', {
      remedy: 'Take fewer examples at once, a shorter prompt, or a smaller model.',
      cause: error,
    });
  }
}
