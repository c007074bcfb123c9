import { PreludeError } from '../errors.ts';
import { fromGguf, loadGguf, type Precision } from '../models/index.ts';
import { loadTokenizer, spieceTokenizer, type Tokenizer } from '../text/index.ts';
import {
  type ByteSource,
  blobSource,
  type FileStore,
  fetchCatalog,
  fetchModel,
  type LoadedModel,
  loadModelSources,
  type ModelCatalog,
  type ModelEntry,
  modelFiles,
  openGguf,
  peekModelSources,
} from '../weights/index.ts';
import { createHubDesk } from './hubModels.ts';
import { speedometer } from './progress.ts';
import type { CachedModels, HubReport, HubSource, ModelCard, ModelSource, OnProgress } from './protocol.ts';

/** A model in memory, before its weights go to the GPU. */
export interface OpenedModel {
  /** Of a built-in model. */
  card?: ModelCard;
  loaded: LoadedModel;
  tokenizer: Tokenizer;
  /** What the tokenizer was made of, parsed: `tokenizer.json` and `tokenizer_config.json`. */
  tokenizerFiles: { json: unknown; config: unknown };
  title: string;
  /** The card's id; `own-` (own files) or `hub-` and the beginning of the fingerprint. */
  id: string;
  /** How its matrices are to be kept; default `stored`. */
  precision?: Precision;
}

/** A model's config and its weights' table of contents. */
export type PeekedModel = Pick<LoadedModel, 'config' | 'weights'>;
type FilesSource = Extract<ModelSource, { kind: 'files' }>;

/** Lists models and reads them; keeps only what it downloads from hubs. */
export interface ModelDesk {
  /** @throws PreludeError 'download' */
  listModels(): Promise<ModelCard[]>;
  /**
   * Reads a model whole, with progress in bytes.
   * @throws PreludeError 'download', 'bad-config', 'bad-tokenizer', 'bad-weights', 'storage', 'cancelled'
   */
  load(source: ModelSource, onProgress: OnProgress, signal?: AbortSignal): Promise<OpenedModel>;
  /**
   * What a model of a hub or of own files is, without reading its tensors or its tokenizer.
   * @throws PreludeError 'download', 'bad-config', 'bad-weights', 'unsupported-model'
   */
  peek(source: HubSource | FilesSource): Promise<PeekedModel>;
  /** Ends all loading that goes on. */
  cancel(): void;
  lookUpHub(source: HubSource): Promise<HubReport>;
  cachedModels(): Promise<CachedModels>;
  deleteCachedModel(id: string): Promise<void>;
}

/**
 * @param options.modelsUrl absolute address of the folder with the list of built-in models
 * @param options.store where downloads are kept; default: the browser's private file system, or memory where there is none
 */
export function createModelDesk(options: { modelsUrl: string; store?: () => Promise<FileStore> }): ModelDesk {
  const hub = createHubDesk(options.store);
  const going = new Set<AbortController>();
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

  const loadHub = async (source: HubSource, onProgress: OnProgress, signal?: AbortSignal) => {
    const { title, key, sources } = await hub.open(source, onProgress, signal);
    const model = await open(sources, 'hub', title, onProgress, signal);
    hub.use(key);
    return model;
  };

  const loadAny = (source: ModelSource, onProgress: OnProgress, signal: AbortSignal) => {
    switch (source.kind) {
      case 'builtin':
        return loadBuiltin(source.id, onProgress, signal);
      case 'files': {
        const { files, name } = modelFiles(source.files);
        return open(
          files.map((file) => blobSource(file)),
          'own',
          name ?? ggufOf(files)?.name ?? 'Own model',
          onProgress,
          signal,
        );
      }
      case 'hub':
        return loadHub(source, onProgress, signal);
    }
  };

  return {
    async listModels() {
      const list = await catalog();
      return list.models.map((entry) => cardOf(entry, list.default));
    },
    async load(source, onProgress, signal) {
      const stop = new AbortController();
      going.add(stop);
      try {
        const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
        const model = await loadAny(source, onProgress, both);
        if (source.kind !== 'hub') hub.use(undefined);
        return model;
      } finally {
        going.delete(stop);
      }
    },
    async peek(source) {
      const sources =
        source.kind === 'hub'
          ? await hub.peek(source)
          : modelFiles(source.files).files.map((file) => blobSource(file));
      const gguf = ggufOf(sources);
      return gguf ? fromGguf(await openGguf(gguf)) : peekModelSources(sources);
    },
    cancel() {
      for (const stop of going) stop.abort();
    },
    lookUpHub: hub.lookUp,
    cachedModels: hub.list,
    deleteCachedModel: hub.delete,
  };
}

/** Opens a model folder or a GGUF file, with progress. */
async function open(
  sources: readonly ByteSource[],
  origin: 'own' | 'hub',
  title: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<OpenedModel> {
  const report = speedometer(`Reading ${title}`, 'bytes', onProgress);
  // Weights up to a size are read once for the fingerprint, larger ones in samples: what is read is at most what is there.
  const total = sources.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let isOpen = false;
  const counted = sources.map(
    (source): ByteSource => ({
      name: source.name,
      size: source.size,
      async read(offset, length) {
        if (isOpen) return source.read(offset, length);
        if (signal?.aborted)
          throw new PreludeError('cancelled', `${source.name}: reading was cancelled.`, {
            where: source.name,
            remedy: 'Load the model again when you want it.',
          });
        const bytes = await source.read(offset, length);
        done = Math.min(total, done + length);
        report(done, total);
        return bytes;
      },
    }),
  );
  const gguf = ggufOf(counted);
  const loaded = gguf ? await loadGguf(gguf) : await loadModelSources(counted, title);
  isOpen = true;
  report(total, total);
  return opened(loaded, `${origin}-${loaded.fingerprint.slice(0, 12)}`, title);
}

/** The GGUF file among files without other weights. */
function ggufOf<T extends { name: string }>(files: readonly T[]): T | undefined {
  const found = files.filter(({ name }) => name.endsWith('.gguf'));
  if (found.length === 0 || files.some(({ name }) => name.endsWith('.safetensors'))) return undefined;
  if (found.length > 1)
    throw new PreludeError('bad-weights', `There are ${found.length} GGUF files, each a whole model.`, {
      where: found.map(({ name }) => name).join(', '),
      remedy: 'Choose one of them.',
    });
  return found[0];
}

function opened(loaded: LoadedModel, id: string, title: string, card?: ModelCard): OpenedModel {
  const { tokenizerJson, tokenizerConfigJson } = loaded.sentencePiece
    ? spieceTokenizer(loaded.sentencePiece, loaded.tokenizerConfigJson)
    : loaded;
  const tokenizer = loadTokenizer(tokenizerJson, tokenizerConfigJson);
  const tokenizerFiles = { json: tokenizerJson, config: tokenizerConfigJson };
  return { ...(card ? { card } : {}), loaded, tokenizer, tokenizerFiles, title, id };
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
