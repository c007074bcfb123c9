/** A model of one's own: which of the files that were dropped are needed, what is missing, and what it will take. */
import type { ErrorReport } from '../../../errors.ts';

export interface OwnModel {
  /** The folder's or the configuration's name, for the panel. */
  name: string;
  /** All that the engine needs, in one list. */
  files: File[];
  bytes: number;
  ignored: number;
}

/** Read where they are there. */
const BESIDE = new Set(['tokenizer_config.json', 'generation_config.json']);

/** A folder may hold the same weights twice; the format that needs no pickle is taken. */
const WEIGHTS = [/\.safetensors$/, /^pytorch_model.*\.bin$/];
const WEIGHT_INDEX = /\.(safetensors|bin)\.index\.json$/;

/** Picks a model's files out of what was dropped, whatever else lies in the folder. */
export function findOwnModel(files: readonly File[], folder?: string): OwnModel | ErrorReport {
  const gguf = files.filter((file) => /\.gguf$/i.test(file.name));
  if (gguf.length === 1) return ownModel(gguf[0]!.name, gguf, files);
  const named = (name: string) => files.find((file) => file.name === name);
  const config = named('config.json');
  const tokenizer = named('tokenizer.json') ?? named('spiece.model');
  const weights =
    WEIGHTS.map((format) =>
      files
        .filter((file) => format.test(file.name) && file.name !== 'adapter_model.safetensors')
        .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
    ).find((found) => found.length > 0) ?? [];
  const beside = files.filter((file) => BESIDE.has(file.name) || WEIGHT_INDEX.test(file.name));
  const missing = [
    !config && 'config.json',
    weights.length === 0 && 'model.safetensors',
    !tokenizer && 'tokenizer.json',
  ].filter((name) => name !== false);
  if (!config || !tokenizer || missing.length > 0)
    return {
      code: 'bad-config',
      message:
        gguf.length > 1
          ? `There are ${gguf.length} GGUF files; one is a model.`
          : `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing.`,
      where: folder ?? (files.length === 1 ? files[0]!.name : `${files.length} files`),
      remedy:
        gguf.length > 1
          ? 'Drop the one GGUF file that you want.'
          : 'Drop the whole folder of the model; or choose config.json, the weights (.safetensors or .bin) and tokenizer.json or spiece.model together; or one GGUF file.',
    };
  return ownModel(folder ?? 'own model', [config, tokenizer, ...weights, ...beside], files);
}

function ownModel(name: string, own: File[], all: readonly File[]): OwnModel {
  return {
    name,
    files: own,
    bytes: own.reduce((sum, file) => sum + file.size, 0),
    ignored: all.length - own.length,
  };
}
