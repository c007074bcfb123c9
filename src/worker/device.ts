import { PreludeError } from '../errors.ts';
import { type FrozenModel, type Precision, readFrozen } from '../models/index.ts';
import type { PromptModel } from '../prompts/index.ts';
import type { Scorer, Vocabulary } from '../tuning/index.ts';
import { parameterCount } from '../weights/index.ts';
import { chosen, openFitting } from './engineChoice.ts';
import type { OpenedModel } from './models.ts';
import { openOnnxPlace, openWebgpuPlace, type Place } from './place.ts';
import { speedometer } from './progress.ts';
import type {
  DeviceReport,
  EngineChoice,
  EngineName,
  EngineWish,
  ModelReport,
  OnProgress,
} from './protocol.ts';

/** A frozen model where it lives, with what is read from it. */
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
  /** Opens the engine that is named, or the one that fits this computer; a model that is loaded moves there. */
  open(engine: EngineWish): Promise<DeviceReport>;
  /** What is open, and why. */
  report(): DeviceReport;
  /** The software adapter that stands aside while the processor works: what `choice.reason` calls `unmeasured`. */
  spare(): Place | undefined;
  /** Moves to the engine of a choice, and keeps the reason. */
  settle(choice: EngineChoice): Promise<DeviceReport>;
  load(opened: OpenedModel, readSeconds: number, onProgress: OnProgress): Promise<ModelReport>;
  /** @throws PreludeError `no-adapter` before a device is open. */
  place(): Place;
  model(): ResidentModel | undefined;
  /** @throws PreludeError `bad-config` with the next step where no model is loaded. */
  need(): ResidentModel;
  /** Whether what was made for this session can still be used: it cannot once its device is gone, even if another is open. */
  isCurrent(place: Place): boolean;
  /** As `!isCurrent`, after a moment's wait: work on a lost device may fail before the loss itself is told. */
  wasLost(place: Place): Promise<boolean>;
  /**
   * Opens the device again and uploads the same model, where it was lost; at once where it was not.
   * @throws PreludeError `device-lost` where it does not come back
   */
  ready(): Promise<void>;
  /**
   * Work with the model that is loaded: the model stays on the device until it has ended. Done once more where the
   * device is lost meanwhile.
   */
  withModel<T>(work: () => Promise<T>): Promise<T>;
}

/** Waits between two looks for a new device: a browser whose GPU process has crashed needs a moment. Milliseconds. */
const LOOK_AGAIN_MS = [100, 300, 1000, 2000, 4000];
/** How long after a failure the news of a lost device may come. */
const NEWS_MS = 500;

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

export function createDeviceDesk(): DeviceDesk {
  let place: Place | undefined;
  let choice: EngineChoice | undefined;
  let spare: Place | undefined;
  let resident: ResidentModel | undefined;
  let lost = false;
  let recovering: Promise<void> | undefined;
  /** Work that is going on. */
  const reads = new Set<Promise<unknown>>();

  const take = (opened: Place): Place => {
    place = opened;
    lost = false;
    void opened.lost.then(() => {
      if (place === opened) lost = true;
      if (spare === opened) spare = undefined;
    });
    return opened;
  };
  const openNamed = async (engine: EngineName): Promise<Place> => {
    if (engine === 'onnx') return openOnnxPlace();
    const aside = spare;
    spare = undefined;
    return aside ?? openWebgpuPlace();
  };
  const report = (): DeviceReport => ({ ...needPlace().report, choice: choice! });
  const needPlace = (): Place => {
    if (!place)
      throw new PreludeError('no-adapter', 'The graphics adapter is not open yet.', {
        remedy: 'Reload the page.',
      });
    return place;
  };

  const upload = async (
    opened: OpenedModel,
    readSeconds: number,
    onProgress: OnProgress,
  ): Promise<ResidentModel> => {
    const current = needPlace();
    const { weights } = opened.loaded;
    const began = performance.now();
    const report = speedometer(`Uploading ${opened.title}`, 'bytes', onProgress);
    const { precision = 'stored' } = opened;
    const { config } = opened.loaded;
    const { fingerprint, title } = editionOf(opened, precision);
    const { model, scorer, weightBytes } = await current.makeModel(config, weights, precision, report);
    const { info } = model;
    let vocabulary: Promise<Vocabulary> | undefined;
    return {
      opened,
      model,
      scorer,
      identity: {
        name: title,
        fingerprint,
        family: String((opened.loaded.config as { model_type?: unknown }).model_type),
        width: info.width,
        vocabSize: info.vocabSize,
        numLayers: info.layers[0] || info.layers[1],
        numHeads: info.heads,
      },
      report: {
        id: opened.id,
        title,
        family: info.family,
        fingerprint,
        parameters: parameterCount(weights),
        width: info.width,
        vocabSize: info.vocabSize,
        heads: info.heads,
        layers: info.layers,
        weightBytes,
        precision,
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
  const isCurrent = (made: Place) => made === place && !lost;
  const wasLost = async (made: Place) => {
    if (!isCurrent(made)) return true;
    await Promise.race([made.lost, pause(NEWS_MS)]);
    return !isCurrent(made);
  };
  const recover = async () => {
    for (const wait of LOOK_AGAIN_MS) {
      await pause(wait);
      try {
        take(await openNamed(needPlace().report.engine));
        if (resident) resident = await upload(resident.opened, resident.report.seconds.read, () => {});
        return;
      } catch {
        // Looked for again, until the waits are over.
        lost = true;
      }
    }
    throw new PreludeError('device-lost', 'The graphics device was lost and did not come back.', {
      remedy:
        'What was kept is safe. Close other tabs that use the graphics device, wait two minutes or restart the browser, then go on.',
    });
  };
  const ready = async () => {
    if (!lost && !recovering) return;
    recovering ??= recover().finally(() => {
      recovering = undefined;
    });
    await recovering;
  };

  /** Opens the engine of a choice where it is not open, and brings the model there. */
  const moveTo = async (next: EngineChoice, opened?: Place): Promise<DeviceReport> => {
    if (place && !lost && place.report.engine === next.engine) {
      choice = next;
      return report();
    }
    const before = place;
    take(opened ?? (await openNamed(next.engine)));
    choice = next;
    if (!resident) return report();
    const moving = resident;
    resident = await upload(moving.opened, moving.report.seconds.read, () => {});
    before?.freeModel(moving.model, moving.scorer);
    return report();
  };

  return {
    async open(wish) {
      if (wish !== 'auto') return moveTo(chosen(wish));
      const found = await openFitting();
      spare = found.spare;
      return moveTo(found.choice, found.place);
    },
    report,
    spare: () => spare,
    settle: (measured) => moveTo(measured),
    async load(opened, readSeconds, onProgress) {
      await ready();
      // Made before the old one goes: a model that does not fit leaves the old one in place.
      const next = await upload(opened, readSeconds, onProgress);
      const before = resident;
      const current = needPlace();
      resident = next;
      if (before)
        void Promise.allSettled(reads).then(() => {
          if (isCurrent(current)) current.freeModel(before.model, before.scorer);
        });
      return next.report;
    },
    place: needPlace,
    model: () => resident,
    need() {
      if (!resident)
        throw new PreludeError('bad-config', 'No model is loaded.', {
          remedy: 'Choose a model on the Model station.',
        });
      return resident;
    },
    isCurrent,
    wasLost,
    ready,
    async withModel(work) {
      const read = async () => {
        await ready();
        const made = needPlace();
        try {
          return { value: await work() };
        } catch (error) {
          if (error instanceof PreludeError || !(await wasLost(made))) throw error;
          return undefined;
        }
      };
      const going = (async () => (await read()) ?? (await read()))();
      reads.add(going);
      try {
        const done = await going;
        if (done) return done.value;
      } finally {
        reads.delete(going);
      }
      throw new PreludeError('device-lost', 'The graphics device was lost twice.', {
        remedy: 'Close other tabs that use the graphics device, then try again.',
      });
    },
  };
}

/** Weights in other blocks are other weights: a run of the one must not go on with the other, and a prompt says where it is from. */
function editionOf(
  { title, loaded }: OpenedModel,
  precision: Precision,
): { fingerprint: string; title: string } {
  const { fingerprint } = loaded;
  if (precision === 'stored') return { fingerprint, title };
  return {
    fingerprint: `${precision}-${fingerprint}`,
    title: `${title}, ${precision === 'q8_0' ? 8 : 4} bits`,
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
