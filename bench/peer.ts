/**
 * Prelude as a peer of the benchmark that times jax-js, TensorFlow.js, ONNX Runtime Web and PyTorch beside each other
 * (`../shared/bench-peers`, its `Peer` interface): the same weights, batch and first prompt, checked by the same gradients.
 * `npm run bench:peer` bundles this file into `dist-bench/prelude.js`, which that harness takes with `--peer`.
 */
import { createBuffers, createPipelines, openGpu } from '../src/gpu/index.ts';
import { makeModel, traitsOf, uploadFrozen } from '../src/models/index.ts';
import { adamwDefaults, createLearner, planAnswers } from '../src/tuning/index.ts';
import type { WeightFile } from '../src/weights/index.ts';
import { configOf, type LlamaShape, type T5Shape } from './workloads.ts';

/** The parts of the harness's interface that this peer uses. */
interface PeerInputs {
  model: (T5Shape | LlamaShape) & { batch: number; prompt: number; input: number; target: number };
  weights: Map<string, { shape: number[]; data: Float32Array | Int32Array }>;
  ids: Int32Array;
  labels: Int32Array;
  prompt: Float32Array;
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

const peer = {
  name: 'prelude',
  version: '0.1.0',
  async model({ model: shape, weights, ids, labels, prompt }: PeerInputs) {
    const gpu = await openGpu();
    const session = {
      gpu,
      pipelines: createPipelines(gpu),
      buffers: createBuffers(gpu),
      persistent: new Map(),
    };
    const file = weightFile(weights);
    const model = makeModel(configOf(shape), file);
    await uploadFrozen(session, model, file);
    const rows = (values: Int32Array, width: number) =>
      Array.from({ length: shape.batch }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
    const targets = rows(labels, shape.target);
    const examples = rows(ids, shape.input).map((input, i) => ({
      ids: input,
      prompt: { first: 0, count: shape.prompt },
      answers: planAnswers([targets[i]]),
      target: 0,
    }));
    // The harness's course is plain Adam.
    const optimizer = { ...adamwDefaults, learningRate: 0.03, weightDecay: 0 };
    const learner = await createLearner(
      session,
      traitsOf(gpu),
      model,
      { length: shape.prompt, loss: 'vocabulary', optimizer, clipNorm: 0 },
      examples,
      Float32Array.from(prompt),
      examples.length,
    );
    const all = examples.map((_, i) => i);
    let step = 0;
    return {
      step: async () => (await learner.step(++step, all, { scene: false })).loss,
      gradient: () => learner.readGradient(),
    };
  },
};

export default peer;
