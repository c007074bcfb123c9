import { PreludeError } from '../errors.ts';
import { createBuffers, createPipelines, type Gpu, openGpu } from '../gpu/index.ts';
import { freePersistent, type Session } from '../graph/index.ts';
import type { KernelTraits } from '../kernels/index.ts';
import { type FrozenModel, makeModel, readFrozen, traitsOf, uploadFrozen } from '../models/index.ts';
import type { PromptModel } from '../prompts/index.ts';
import { createScorer, type Scorer, type Vocabulary } from '../tuning/index.ts';
import { parameterCount } from '../weights/index.ts';
import type { OpenedModel } from './models.ts';
import { speedometer } from './progress.ts';
import type { DeviceReport, ModelReport, OnProgress } from './protocol.ts';

/** A frozen model on the GPU, with what is read from it. */
export interface ResidentModel {
  opened: OpenedModel;
  model: FrozenModel;
  scorer: Scorer;
  report: ModelReport;
  identity: PromptModel;
  /** Embeddings in JavaScript memory, read on first use: for starts and for nearest words. */
  vocabulary(): Promise<Vocabulary>;
}

/** The device and the one model on it; both are made anew when the device is lost. */
export interface DeviceDesk {
  open(): Promise<DeviceReport>;
  load(opened: OpenedModel, readSeconds: number, onProgress: OnProgress): Promise<ModelReport>;
  /** @throws PreludeError `no-adapter` before the device is open. */
  session(): Session;
  traits(): KernelTraits;
  model(): ResidentModel | undefined;
  /** @throws PreludeError `bad-config` with the next step where no model is loaded. */
  need(): ResidentModel;
  /** Whether the device that was open is gone and not yet replaced. */
  isLost(): boolean;
  /** Opens the device again and uploads the same model. */
  recover(): Promise<void>;
}

export function createDeviceDesk(): DeviceDesk {
  let gpu: Gpu | undefined;
  let session: Session | undefined;
  let resident: ResidentModel | undefined;
  let lost = false;

  const open = async (): Promise<Gpu> => {
    const opened = await openGpu();
    gpu = opened;
    lost = false;
    session = {
      gpu: opened,
      pipelines: createPipelines(opened),
      buffers: createBuffers(opened),
      persistent: new Map(),
    };
    void opened.lost.then(() => {
      if (gpu === opened) lost = true;
    });
    return opened;
  };
  const needSession = (): Session => {
    if (!session)
      throw new PreludeError('no-adapter', 'The graphics adapter is not open yet.', {
        remedy: 'Reload the page.',
      });
    return session;
  };

  const upload = async (
    opened: OpenedModel,
    readSeconds: number,
    onProgress: OnProgress,
  ): Promise<ResidentModel> => {
    const current = needSession();
    const { weights } = opened.loaded;
    const began = performance.now();
    const model = makeModel(opened.loaded.config, weights);
    const report = speedometer(`Uploading ${opened.title}`, 'bytes', onProgress);
    await uploadFrozen(current, model, weights, report);
    await current.gpu.queue.onSubmittedWorkDone();
    const { info } = model;
    let vocabulary: Promise<Vocabulary> | undefined;
    return {
      opened,
      model,
      scorer: createScorer(current, traitsOf(current.gpu), model),
      identity: {
        name: opened.title,
        fingerprint: opened.loaded.fingerprint,
        family: String((opened.loaded.config as { model_type?: unknown }).model_type),
        width: info.width,
        vocabSize: info.vocabSize,
        numLayers: info.layers[0] || info.layers[1],
        numHeads: info.heads,
      },
      report: {
        id: opened.id,
        title: opened.title,
        family: info.family,
        fingerprint: opened.loaded.fingerprint,
        parameters: parameterCount(weights),
        width: info.width,
        vocabSize: info.vocabSize,
        heads: info.heads,
        layers: info.layers,
        weightBytes: model.frozen.reduce(
          (sum, { tensor }) => sum + (current.persistent.get(tensor)?.size ?? 0),
          0,
        ),
        seconds: { read: readSeconds, upload: (performance.now() - began) / 1000 },
      },
      vocabulary() {
        vocabulary ??= readFrozen(weights, model.embedding).then((embedding) => ({
          embedding,
          width: info.width,
          byFrequency: ordinaryTokens(opened, info.vocabSize),
          token: (id) => opened.tokenizer.token(id),
          encode: (text) => opened.tokenizer.encode(text),
        }));
        return vocabulary;
      },
    };
  };
  const unload = () => {
    if (!resident || !session) return;
    resident.scorer.destroy();
    freePersistent(
      session,
      resident.model.frozen.map((frozen) => frozen.tensor),
    );
    resident = undefined;
  };

  return {
    async open() {
      const { adapter, features, limits } = gpu && !lost ? gpu : await open();
      return {
        ...adapter,
        features,
        limits: {
          bindingBytes: limits.maxStorageBufferBindingSize,
          bufferBytes: limits.maxBufferSize,
          storageBuffers: limits.maxStorageBuffersPerShaderStage,
          workgroupBytes: limits.maxComputeWorkgroupStorageSize,
          invocations: limits.maxComputeInvocationsPerWorkgroup,
        },
      };
    },
    async load(opened, readSeconds, onProgress) {
      // Made before the old one goes: a model that does not fit leaves the old one in place.
      const next = await upload(opened, readSeconds, onProgress);
      unload();
      resident = next;
      return next.report;
    },
    session: needSession,
    traits: () => traitsOf(needSession().gpu),
    model: () => resident,
    need() {
      if (!resident)
        throw new PreludeError('bad-config', 'No model is loaded.', {
          remedy: 'Choose a model on the Model station.',
        });
      return resident;
    },
    isLost: () => lost,
    async recover() {
      const before = resident;
      resident = undefined;
      await open();
      if (before) resident = await upload(before.opened, before.report.seconds.read, () => {});
    },
  };
}

/**
 * Token ids from the most to the least likely, without special tokens. Published vocabularies are ordered so: SentencePiece's
 * by log-probability, BPE's by the order of its merges.
 */
function ordinaryTokens({ tokenizer }: OpenedModel, vocabSize: number): number[] {
  const special = new Set([tokenizer.eosId, tokenizer.padId, tokenizer.unkId]);
  const ids: number[] = [];
  for (let id = 0; id < Math.min(vocabSize, tokenizer.size); id++)
    if (!special.has(id) && !/^<.*>$/.test(tokenizer.token(id))) ids.push(id);
  return ids;
}
