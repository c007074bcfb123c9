import { PreludeError } from '../errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { openSafetensors } from './safetensors.ts';
import { openSharded } from './sharded.ts';
import { type ByteSource, blobSource } from './source.ts';
import type { WeightFile } from './types.ts';

/** A model as published, read but not interpreted: its family maps `config` to a graph. */
export interface LoadedModel {
  name: string;
  /** Parsed `config.json`. */
  config: unknown;
  /** Parsed `generation_config.json`, if there is one. */
  generationConfig: unknown;
  /** Parsed `tokenizer.json`. */
  tokenizerJson: unknown;
  /** Parsed `tokenizer_config.json`, if there is one. */
  tokenizerConfigJson: unknown;
  weights: WeightFile;
  /** Names the weights, see `fingerprintOf`. */
  fingerprint: string;
}

/** Opens a model folder that was dropped or chosen: `config.json`, `tokenizer.json`, `*.safetensors` (with its index if sharded). */
export async function loadModelFolder(files: readonly File[]): Promise<LoadedModel> {
  const folder = files.map((file) => file.webkitRelativePath?.split('/').at(-2)).find((name) => name);
  return loadModelSources(
    files.map((file) => blobSource(file)),
    folder ?? 'model',
  );
}

/**
 * Opens a model folder whose files are given as sources named as in the folder.
 * @throws PreludeError 'bad-config', 'bad-tokenizer' or 'bad-weights' naming the file that is missing or broken
 */
export async function loadModelSources(sources: readonly ByteSource[], name: string): Promise<LoadedModel> {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const json = async (file: string): Promise<unknown> => {
    const source = byName.get(file);
    return source ? parseJson(file, await source.read(0, source.size)) : undefined;
  };
  const config = await json('config.json');
  if (config === undefined) throw missing('bad-config', 'config.json', sources);
  const tokenizerJson = await json('tokenizer.json');
  if (tokenizerJson === undefined) throw missing('bad-tokenizer', 'tokenizer.json', sources);
  const weights = await openWeights(byName);
  if (!weights) throw missing('bad-weights', 'model.safetensors', sources);
  return {
    name,
    config,
    generationConfig: await json('generation_config.json'),
    tokenizerJson,
    tokenizerConfigJson: await json('tokenizer_config.json'),
    weights,
    fingerprint: await fingerprintOf(weights),
  };
}

async function openWeights(byName: ReadonlyMap<string, ByteSource>): Promise<WeightFile | undefined> {
  const names = [...byName.keys()];
  const index = names.find((name) => name.endsWith('.safetensors.index.json'));
  if (index) {
    const source = byName.get(index)!;
    return openSharded(parseJson(index, await source.read(0, source.size)), index, (file) =>
      byName.get(file),
    );
  }
  const single =
    byName.get('model.safetensors') ??
    byName.get(names.filter((name) => name.endsWith('.safetensors'))[0] ?? '');
  return single && openSafetensors(single);
}

/** A JSON file of a model folder. */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const code = file.startsWith('tokenizer')
      ? 'bad-tokenizer'
      : file.includes('.safetensors')
        ? 'bad-weights'
        : 'bad-config';
    throw new PreludeError(code, `${file}: this is no valid JSON.`, {
      where: file,
      remedy: 'Get the file again from where the model was published.',
      cause,
    });
  }
}

function missing(
  code: 'bad-config' | 'bad-tokenizer' | 'bad-weights',
  file: string,
  sources: readonly ByteSource[],
): PreludeError {
  const given = sources.map((source) => source.name).join(', ') || 'nothing';
  return new PreludeError(code, `There is no ${file} among the files (${given}).`, {
    where: file,
    remedy: 'Choose the whole model folder: config.json, tokenizer.json and the .safetensors files.',
  });
}
