/** The engines that the reference cases can run on, behind one interface. */
import { openGpu } from '../../src/gpu/index.ts';
import { createSession, freePersistent } from '../../src/graph/index.ts';
import { type FrozenModel, traitsOf, uploadFrozen } from '../../src/models/index.ts';
import { loadRuntime, usableThreads } from '../../src/onnx/index.ts';
import {
  type BatchExample,
  createLearner,
  createOnnxLearner,
  createOnnxScorer,
  createScorer,
  type LearnerSettings,
  type OpenLearner,
  type Scorer,
} from '../../src/tuning/index.ts';
import type { WeightFile } from '../../src/weights/index.ts';
import type { GpuContext } from '../harness/index.ts';

export const ENGINES = ['webgpu', 'onnx', 'both'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Where the ONNX engine finds its WASM in Node. */
export const ORT_FOLDER = '/ort';

/** A frozen model that is ready to be learned and read with. */
export interface OpenModel {
  learn(
    settings: LearnerSettings,
    examples: readonly BatchExample[],
    prompt: Float32Array<ArrayBuffer>,
    batch: number,
  ): Promise<OpenLearner>;
  scorer(): Promise<Scorer>;
  close(): void;
}

export interface Engine {
  /** What it runs on, in words. */
  name: string;
  open(model: FrozenModel, weights: WeightFile): Promise<OpenModel>;
  /** The one it is compared with. */
  other?: Engine;
  close(): void;
}

export async function openEngine(name: EngineName, context: GpuContext): Promise<Engine> {
  if (name === 'onnx') return openOnnx(context);
  const webgpu = await openWebgpu(context);
  if (name === 'webgpu') return webgpu;
  const other = await openOnnx(context);
  return { ...webgpu, name: `${webgpu.name}, against ${other.name}`, other };
}

async function openWebgpu(context: GpuContext): Promise<Engine> {
  const gpu = await openGpu({ gpu: context.gpu });
  const traits = traitsOf(gpu);
  const session = createSession(gpu);
  const { vendor, architecture, description } = gpu.adapter;
  return {
    name: `adapter: ${[vendor, architecture, description].filter(Boolean).join(' ')} (${context.runtime})`,
    async open(model, weights) {
      await uploadFrozen(session, model, weights);
      return {
        learn: (settings, examples, prompt, batch) =>
          createLearner(session, traits, model, settings, examples, prompt, batch),
        scorer: async () => createScorer(session, traits, model),
        close: () =>
          freePersistent(
            session,
            model.frozen.map((frozen) => frozen.tensor),
          ),
      };
    },
    close: () => gpu.close(),
  };
}

async function openOnnx(context: GpuContext): Promise<Engine> {
  // In Node nothing can be fetched from our own origin.
  const wasm =
    context.runtime === 'browser'
      ? undefined
      : await context.fetchBytes(`${ORT_FOLDER}/ort-wasm-simd-threaded.wasm`);
  const ort = await loadRuntime({ wasm });
  return {
    name: `ONNX Runtime ${ort.env.versions.web} on WASM, ${usableThreads()} threads (${context.runtime})`,
    open: async (model, weights) => ({
      learn: (settings, examples, prompt, batch) =>
        createOnnxLearner(ort, model, weights, settings, examples, prompt, batch),
      scorer: () => createOnnxScorer(ort, model, weights),
      close() {},
    }),
    close() {},
  };
}
