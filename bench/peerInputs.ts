/** What the harness of `../shared/bench-peers` gives a peer, as our own engines take it. */
import { makeModel } from '../src/models/index.ts';
import { adamwDefaults, type BatchExample, type LearnerSettings, planAnswers } from '../src/tuning/index.ts';
import type { WeightFile } from '../src/weights/index.ts';
import { configOf, type LlamaShape, type T5Shape } from './workloads.ts';

/** The parts of the harness's interface that our peers use. */
export interface PeerInputs {
  model: (T5Shape | LlamaShape) & { batch: number; prompt: number; input: number; target: number };
  weights: Map<string, { shape: number[]; data: Float32Array | Int32Array }>;
  ids: Int32Array;
  labels: Int32Array;
  prompt: Float32Array;
}

/** A model that is open: a step's loss, and the gradient of the prompt after it. */
export interface OpenPeer {
  step(): Promise<number>;
  gradient(): Promise<Float32Array>;
}

function weightFile(weights: PeerInputs['weights']): WeightFile {
  return {
    format: 'safetensors',
    name: 'the bench',
    metadata: {},
    tensors: new Map(
      [...weights].map(([name, { shape, data }]) => [
        name,
        { name, dtype: 'F32' as const, shape, byteOffset: 0, byteLength: data.byteLength },
      ]),
    ),
    async read(name) {
      const { data } = weights.get(name)!;
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    },
  };
}

export function openInputs({ model: shape, weights: tensors, ids, labels, prompt }: PeerInputs) {
  const weights = weightFile(tensors);
  const rows = (values: Int32Array, width: number) =>
    Array.from({ length: shape.batch }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
  const targets = rows(labels, shape.target);
  const examples = rows(ids, shape.input).map(
    (input, i): BatchExample => ({
      ids: input,
      prompt: { first: 0, count: shape.prompt },
      answers: planAnswers([targets[i]]),
      target: 0,
    }),
  );
  // The harness's course is plain Adam.
  const settings: LearnerSettings = {
    length: shape.prompt,
    loss: 'vocabulary',
    optimizer: { ...adamwDefaults, learningRate: 0.03, weightDecay: 0 },
    clipNorm: 0,
  };
  return {
    weights,
    model: makeModel(configOf(shape), weights),
    settings,
    examples,
    all: examples.map((_, i) => i),
    start: Float32Array.from(prompt),
  };
}
