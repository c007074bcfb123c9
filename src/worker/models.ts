import { PreludeError } from '../errors.ts';
import { loadTokenizer, type Tokenizer } from '../text/index.ts';
import {
  type ByteSource,
  blobSource,
  fetchCatalog,
  fetchModel,
  type LoadedModel,
  loadModelSources,
  type ModelCatalog,
  type ModelEntry,
} from '../weights/index.ts';
import { speedometer } from './progress.ts';
import type { ModelCard, ModelSource, OnProgress } from './protocol.ts';

/** A model in memory, before its weights go to the GPU. */
export interface OpenedModel {
  /** Of a built-in model. */
  card?: ModelCard;
  loaded: LoadedModel;
  tokenizer: Tokenizer;
  title: string;
  /** The card's id; `own-` and the beginning of the fingerprint for a person's own files. */
  id: string;
}

/** Lists models and reads them; keeps none. */
export interface ModelDesk {
  /** @throws PreludeError 'download' */
  listModels(): Promise<ModelCard[]>;
  /**
   * Reads a model whole, with progress in bytes.
   * @throws PreludeError 'download', 'bad-config', 'bad-tokenizer', 'bad-weights', 'cancelled'
   */
  load(source: ModelSource, onProgress: OnProgress, signal?: AbortSignal): Promise<OpenedModel>;
}

/** @param options.modelsUrl absolute address of the folder with the list of built-in models */
export function createModelDesk(options: { modelsUrl: string }): ModelDesk {
  let known: ModelCatalog | undefined;
  const catalog = async (signal?: AbortSignal): Promise<ModelCatalog> => {
    known ??= await fetchCatalog(options.modelsUrl, signal);
    return known;
  };

  const loadBuiltin = async (id: string, onProgress: OnProgress, signal?: AbortSignal) => {
    const list = await catalog(signal);
    const entry = list.models.find((model) => model.id === id);
    if (!entry)
      throw new PreludeError('download', `There is no built-in model "${id}".`, {
        where: id,
        remedy: `Choose among ${list.models.map((model) => model.title).join(', ')}.`,
      });
    const card = cardOf(entry, list.default);
    const report = speedometer(`Loading ${entry.title}`, 'bytes', onProgress);
    const loaded = await fetchModel(entry, options.modelsUrl, {
      signal,
      onProgress: ({ bytes }) => report(bytes, card.downloadBytes),
    });
    return opened(loaded, entry.id, entry.title, card);
  };

  return {
    async listModels() {
      const list = await catalog();
      return list.models.map((entry) => cardOf(entry, list.default));
    },
    load: (source, onProgress, signal) =>
      source.kind === 'builtin'
        ? loadBuiltin(source.id, onProgress, signal)
        : loadFiles(source.files, onProgress, signal),
  };
}

async function loadFiles(
  files: readonly File[],
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<OpenedModel> {
  const folder = files.map((file) => file.webkitRelativePath?.split('/').at(-2)).find((name) => name);
  const name = folder ?? 'Own model';
  const report = speedometer(`Reading ${name}`, 'bytes', onProgress);
  // Every tensor is read once for the fingerprint, so what is read against what is there is the share of the work.
  const total = files.reduce((sum, file) => sum + file.size, 0);
  let done = 0;
  const counting = (source: ByteSource): ByteSource => ({
    name: source.name,
    size: source.size,
    async read(offset, length) {
      if (signal?.aborted)
        throw new PreludeError('cancelled', `${source.name}: reading was cancelled.`, {
          where: source.name,
          remedy: 'Choose the files again when you want them.',
        });
      const bytes = await source.read(offset, length);
      done = Math.min(total, done + length);
      report(done, total);
      return bytes;
    },
  });
  const loaded = await loadModelSources(
    files.map((file) => counting(blobSource(file))),
    name,
  );
  report(total, total);
  return opened(loaded, `own-${loaded.fingerprint.slice(0, 12)}`, name);
}

function opened(loaded: LoadedModel, id: string, title: string, card?: ModelCard): OpenedModel {
  const tokenizer = loadTokenizer(loaded.tokenizerJson, loaded.tokenizerConfigJson);
  return { ...(card ? { card } : {}), loaded, tokenizer, title, id };
}

function cardOf(entry: ModelEntry, opening: string): ModelCard {
  return {
    id: entry.id,
    title: entry.title,
    goodFor: entry.goodFor,
    parameters: entry.parameters,
    downloadBytes: entry.files.reduce((sum, file) => sum + file.bytes, 0),
    width: entry.d_model,
    layers: [entry.encoderLayers, entry.decoderLayers],
    isDefault: entry.id === opening,
  };
}
