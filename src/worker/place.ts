/**
 * Where a model lives and learns: our shaders on a WebGPU device, or ONNX Runtime on the processor. One is open at a time; what
 * was made for one means nothing on another.
 */
import { PreludeError } from '../errors.ts';
import { openGpu } from '../gpu/index.ts';
import { createSession, freePersistent } from '../graph/index.ts';
import { type Ceilings, type KernelTraits, measureCeilings, piecesOf } from '../kernels/index.ts';
import { type FrozenModel, makeModel, type Precision, traitsOf, uploadFrozen } from '../models/index.ts';
import { loadRuntime, usableThreads } from '../onnx/index.ts';
import {
  type BatchExample,
  createLearner,
  createOnnxLearner,
  createOnnxScorer,
  createScorer,
  type LearnerProfile,
  type LearnerSettings,
  type OpenLearner,
  type PromptSource,
  productShapes,
  type Scorer,
  warmPipelines,
} from '../tuning/index.ts';
import type { WeightFile } from '../weights/index.ts';
import type { DeviceReport } from './protocol.ts';
import { browserTileStore, findTiles, type TileStore } from './tiles.ts';

/** A learner that can be read with while it learns. */
export interface LiveLearner extends OpenLearner {
  readonly source: PromptSource;
  /** Every dispatch of a step timed, where our shaders run; the state is put back afterwards. */
  profile?(examples: readonly number[]): Promise<LearnerProfile>;
}

export interface Place {
  /** Without the reason why this place was chosen. */
  report: Omit<DeviceReport, 'choice'>;
  /** How the kernels of the loaded model are formed. */
  readonly traits: KernelTraits;
  /** Bytes of the largest buffer it allows. */
  bindingLimit: number;
  /** Bytes in use now. */
  liveBytes(): number;
  /** What the device gives at best, measured on first use; absent where none of our shaders run. */
  ceilings?(): Promise<Ceilings>;
  /** Resolves when it is gone, which a processor never is. */
  lost: Promise<unknown>;
  makeModel(
    config: unknown,
    weights: WeightFile,
    precision: Precision,
    onProgress: (bytes: number, total: number) => void,
  ): Promise<{ model: FrozenModel; scorer: Scorer; weightBytes: number }>;
  freeModel(model: FrozenModel, scorer: Scorer): void;
  /** @throws PreludeError `out-of-memory` */
  makeLearner(
    model: FrozenModel,
    weights: WeightFile,
    settings: LearnerSettings,
    examples: BatchExample[],
    start: Float32Array<ArrayBuffer>,
    microBatch: number,
    onCompiled: (done: number, total: number) => void,
  ): Promise<LiveLearner>;
}

export interface WebgpuOptions {
  tileStore?: TileStore;
  /**
   * Default: not on software adapters. There a candidate takes as long to compile as a step to run, and the default tile reaches nine
   * tenths of the ceiling (docs/performance.md).
   */
  searchTiles?: boolean;
}

/** @throws PreludeError `no-webgpu`, `no-adapter` or `limit-too-small` */
export async function openWebgpuPlace(options: WebgpuOptions = {}): Promise<Place> {
  const gpu = await openGpu();
  const { tileStore = browserTileStore(), searchTiles = !gpu.adapter.software } = options;
  const session = createSession(gpu);
  const plain = traitsOf(gpu);
  let traits = plain;
  let ceilings: Promise<Ceilings> | undefined;
  const { adapter, features, limits } = gpu;
  const bindingBytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return {
    report: {
      engine: 'webgpu',
      ...adapter,
      features,
      limits: {
        bindingBytes: limits.maxStorageBufferBindingSize,
        bufferBytes: limits.maxBufferSize,
        storageBuffers: limits.maxStorageBuffersPerShaderStage,
        workgroupBytes: limits.maxComputeWorkgroupStorageSize,
        invocations: limits.maxComputeInvocationsPerWorkgroup,
      },
    },
    get traits() {
      return traits;
    },
    bindingLimit: limits.maxStorageBufferBindingSize,
    liveBytes: () => session.buffers.liveBytes,
    ceilings() {
      ceilings ??= measureCeilings(gpu, session.pipelines, traits);
      return ceilings;
    },
    lost: gpu.lost,
    async makeModel(config, weights, precision, onProgress) {
      const model = makeModel(config, weights, { precision, bindingBytes });
      if (searchTiles) {
        const shapes = productShapes(plain, model);
        traits = {
          ...plain,
          matmulTiles: await findTiles({
            gpu,
            pipelines: session.pipelines,
            traits: plain,
            shapes,
            store: tileStore,
          }),
        };
      }
      // Beside the upload, and on after it: the first step then finds its shaders.
      void warmPipelines(session, traits, model);
      await uploadFrozen(session, model, weights, onProgress);
      await gpu.queue.onSubmittedWorkDone();
      const weightBytes = model.frozen.reduce(
        (sum, { tensor }) =>
          piecesOf(tensor).reduce((all, piece) => all + (session.persistent.get(piece)?.size ?? 0), sum),
        0,
      );
      return { model, scorer: createScorer(session, traits, model), weightBytes };
    },
    freeModel(model, scorer) {
      scorer.destroy();
      freePersistent(
        session,
        model.frozen.map((frozen) => frozen.tensor),
      );
    },
    async makeLearner(model, _weights, settings, examples, start, microBatch, onCompiled) {
      gpu.device.pushErrorScope('out-of-memory');
      const learner = await createLearner(
        session,
        traits,
        model,
        settings,
        examples,
        start,
        microBatch,
        onCompiled,
      );
      if (!(await gpu.device.popErrorScope())) return learner;
      learner.destroy();
      throw new PreludeError(
        'out-of-memory',
        `The GPU has no room for ${microBatch} examples of this length.`,
        {
          remedy: 'Shorten the inputs or the prompt, or choose a smaller model.',
        },
      );
    },
  };
}

/** ONNX Runtime's WASM: no graphics device is needed, and a software adapter is slower. */
export async function openOnnxPlace(): Promise<Place> {
  const runtime = await loadRuntime();
  const threads = usableThreads();
  let live = 0;
  return {
    report: {
      engine: 'onnx',
      vendor: 'ONNX Runtime',
      architecture: 'WebAssembly',
      description: threads > 1 ? `${threads} threads` : 'one thread',
      software: true,
      features: { shaderF16: false, subgroups: false, timestamps: false },
      limits: { bindingBytes: 0, bufferBytes: 0, storageBuffers: 0, workgroupBytes: 0, invocations: 0 },
    },
    traits: { rowLanes: 1 },
    bindingLimit: Number.POSITIVE_INFINITY,
    liveBytes: () => live,
    lost: new Promise(() => {}),
    async makeModel(config, weights, precision, onProgress) {
      const model = makeModel(config, weights, { precision });
      const total = model.frozen.reduce(
        (sum, { parts }) =>
          sum + parts.reduce((s, part) => s + (weights.tensors.get(part)?.byteLength ?? 0), 0),
        0,
      );
      const scorer = await createOnnxScorer(runtime, model, weights);
      onProgress(total, total);
      live += scorer.bytes;
      return { model, scorer, weightBytes: scorer.bytes };
    },
    freeModel(_, scorer) {
      live -= scorer.bytes;
      scorer.destroy();
    },
    async makeLearner(model, weights, settings, examples, start, microBatch) {
      const learner = await createOnnxLearner(runtime, model, weights, settings, examples, start, microBatch);
      live += learner.bytes;
      return {
        ...learner,
        source: learner.source,
        destroy() {
          live -= learner.bytes;
          learner.destroy();
        },
      };
    },
  };
}
