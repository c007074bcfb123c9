import { PreludeError } from '../errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { jsonExcess, MAX_JSON_BYTES } from './json.ts';
import { openPytorch } from './pytorch.ts';
import { openSafetensors } from './safetensors.ts';
import { isPytorch, openSharded } from './sharded.ts';
import { type ByteSource, blobSource } from './source.ts';
import type { WeightFile } from './types.ts';

/** A model as published, read but not interpreted: its family maps `config` to a graph. */
export interface LoadedModel {
  name: string;
  /** Parsed `config.json`. */
  config: unknown;
  /** Parsed `generation_config.json`, if there is one. */
  generationConfig: unknown;
  /** Parsed `tokenizer.json`; undefined where the folder has only a SentencePiece model. */
  tokenizerJson: unknown;
  /** `spiece.model` or `tokenizer.model`, where there is no `tokenizer.json`. */
  sentencePiece?: Uint8Array;
  /** Parsed `tokenizer_config.json`, if there is one. */
  tokenizerConfigJson: unknown;
  weights: WeightFile;
  /** Names the weights, see `fingerprintOf`. */
  fingerprint: string;
}

/**
 * Opens a model folder that was dropped or chosen: `config.json`, `tokenizer.json` (or `spiece.model`), and `*.safetensors` or
 * `pytorch_model*.bin` (with their index if sharded).
 */
export async function loadModelFolder(files: readonly File[]): Promise<LoadedModel> {
  const { name, files: own } = modelFiles(files);
  return loadModelSources(
    own.map((file) => blobSource(file)),
    name ?? 'model',
  );
}

/** The files of a dropped folder that lie beside its config, and the folder's name; folders within hold other editions. */
export function modelFiles(files: readonly File[]): { name?: string; files: File[] } {
  const folderOf = (file: File) => file.webkitRelativePath?.split('/').slice(0, -1) ?? [];
  const depth = (found: readonly File[]) => Math.min(...found.map((file) => folderOf(file).length));
  const configs = files.filter((file) => file.name === 'config.json');
  const top = depth(configs.length > 0 ? configs : files);
  const own = files.filter((file) => folderOf(file).length === top);
  const name = own.map((file) => folderOf(file).at(-1)).find((folder) => folder);
  return { files: own, ...(name && { name }) };
}

const SENTENCE_PIECE = ['spiece.model', 'tokenizer.model'];

/**
 * Opens a model folder whose files are given as sources named as in the folder. Safetensors go before PyTorch files.
 * @throws PreludeError 'bad-config', 'bad-tokenizer' or 'bad-weights' naming the file that is missing or broken
 */
export async function loadModelSources(sources: readonly ByteSource[], name: string): Promise<LoadedModel> {
  const json = jsonOf(sources);
  const config = await needConfig(sources);
  const tokenizerJson = await json('tokenizer.json');
  const spiece = SENTENCE_PIECE.flatMap((file) => sources.filter((source) => source.name === file))[0];
  if (tokenizerJson === undefined && !spiece)
    throw missing('bad-tokenizer', 'tokenizer.json or spiece.model', sources);
  const weights = await openWeights(sources);
  return {
    name,
    config,
    generationConfig: await json('generation_config.json'),
    tokenizerJson,
    ...(tokenizerJson === undefined && spiece && { sentencePiece: await readSmall(spiece) }),
    tokenizerConfigJson: await json('tokenizer_config.json'),
    weights,
    fingerprint: await fingerprintOf(weights),
  };
}

/**
 * As `loadModelSources`, but only what the model is: its config and the table of contents of its weights. Reads no tensor.
 * @throws PreludeError 'bad-config' or 'bad-weights' naming the file that is missing or broken
 */
export async function peekModelSources(
  sources: readonly ByteSource[],
): Promise<Pick<LoadedModel, 'config' | 'weights'>> {
  return { config: await needConfig(sources), weights: await openWeights(sources) };
}

const jsonOf =
  (sources: readonly ByteSource[]) =>
  async (file: string): Promise<unknown> => {
    const source = sources.find(({ name }) => name === file);
    return source ? parseJson(file, await readSmall(source)) : undefined;
  };

async function needConfig(sources: readonly ByteSource[]): Promise<unknown> {
  const config = await jsonOf(sources)('config.json');
  if (config === undefined) throw missing('bad-config', 'config.json', sources);
  return config;
}

/** What training leaves beside the weights, in the same form. */
const NO_WEIGHTS = /^(training_args|optimizer|scheduler|rng_state.*|scaler)\.(bin|pth?)$/;

async function openWeights(sources: readonly ByteSource[]): Promise<WeightFile> {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const names = [...byName.keys()];
  const ofKind = async (
    ending: string,
    usual: string,
    isOne: (name: string) => boolean,
    open: (source: ByteSource) => Promise<WeightFile>,
  ): Promise<WeightFile | undefined> => {
    const index = names.find((name) => name.endsWith(`${ending}.index.json`));
    if (index) {
      const source = byName.get(index)!;
      return openSharded(parseJson(index, await readSmall(source)), index, (file) => byName.get(file));
    }
    const single = byName.get(usual) ?? byName.get(names.find(isOne) ?? '');
    return single && open(single);
  };
  const weights =
    (await ofKind(
      '.safetensors',
      'model.safetensors',
      (name) => name.endsWith('.safetensors'),
      openSafetensors,
    )) ??
    (await ofKind(
      '.bin',
      'pytorch_model.bin',
      (name) => isPytorch(name) && !NO_WEIGHTS.test(name),
      openPytorch,
    ));
  if (!weights) throw missing('bad-weights', 'model.safetensors or pytorch_model.bin', sources);
  return weights;
}

/** The whole of a file that is small in every published model: configs, tokenizers, indices. */
async function readSmall(source: ByteSource): Promise<Uint8Array> {
  if (source.size > MAX_JSON_BYTES)
    throw badFile(
      source.name,
      `it has ${source.size} bytes; none of its kind has more than ${MAX_JSON_BYTES}.`,
    );
  return source.read(0, source.size);
}

/** A JSON file of a model folder. */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  const excess = jsonExcess(bytes);
  if (excess) throw badFile(file, `${excess}, unlike any published one.`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badFile(file, 'this is no valid JSON.', cause);
  }
}

function badFile(file: string, message: string, cause?: unknown): PreludeError {
  const isTokenizer = file.startsWith('tokenizer') || SENTENCE_PIECE.includes(file);
  const code = isTokenizer ? 'bad-tokenizer' : file.endsWith('.index.json') ? 'bad-weights' : 'bad-config';
  return new PreludeError(code, `${file}: ${message}`, {
    where: file,
    remedy: 'Get the file again from where the model was published.',
    cause,
  });
}

function missing(
  code: 'bad-config' | 'bad-tokenizer' | 'bad-weights',
  file: string,
  sources: readonly ByteSource[],
): PreludeError {
  const given = sources.map((source) => source.name).join(', ') || 'nothing';
  return new PreludeError(code, `There is no ${file} among the files (${given}).`, {
    where: file,
    remedy:
      'Choose the whole model folder: config.json, tokenizer.json (or spiece.model), and the .safetensors or .bin files. Or one .gguf file.',
  });
}
