/** A model of one's own: which of the files that were dropped are needed, what is missing, and what it will take. */
import type { ErrorReport } from '../../../errors.ts';

export interface OwnModel {
  /** The folder's or the configuration's name, for the panel. */
  name: string;
  config: File;
  tokenizer: File;
  weights: File[];
  /** All that the engine needs, in one list. */
  files: File[];
  bytes: number;
  ignored: number;
}

export interface OwnConfig {
  family: string;
  width?: number;
  layers?: [encoder: number, decoder: number];
  vocabSize?: number;
}

/** Read where they are there. */
const BESIDE = new Set(['tokenizer_config.json', 'generation_config.json']);

/** Picks a model's files out of what was dropped, whatever else lies in the folder. */
export function findOwnModel(files: readonly File[], folder?: string): OwnModel | ErrorReport {
  const named = (name: string) => files.find((file) => file.name === name);
  const config = named('config.json');
  const tokenizer = named('tokenizer.json');
  const weights = files
    .filter((file) => /\.safetensors$/.test(file.name) && file.name !== 'adapter_model.safetensors')
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const beside = files.filter(
    (file) => BESIDE.has(file.name) || file.name.endsWith('.safetensors.index.json'),
  );
  const missing = [
    !config && 'config.json',
    weights.length === 0 && 'model.safetensors',
    !tokenizer && 'tokenizer.json',
  ].filter((name) => name !== false);
  if (!config || !tokenizer || missing.length > 0)
    return {
      code: 'bad-config',
      message: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing.`,
      where: folder ?? (files.length === 1 ? files[0]!.name : `${files.length} files`),
      remedy: hintFor(files, missing),
    };
  const own = [config, tokenizer, ...weights, ...beside];
  return {
    name: folder ?? 'own model',
    config,
    tokenizer,
    weights,
    files: own,
    bytes: own.reduce((sum, file) => sum + file.size, 0),
    ignored: files.length - own.length,
  };
}

function hintFor(files: readonly File[], missing: string[]): string {
  if (missing.includes('model.safetensors') && files.some((file) => /\.(bin|pt|pth|ckpt)$/.test(file.name)))
    return 'Weights are read as safetensors only: save the model with save_pretrained(..., safe_serialization=True) and drop that folder.';
  if (missing.includes('tokenizer.json') && files.some((file) => file.name === 'spiece.model'))
    return 'Save the tokenizer as tokenizer.json (AutoTokenizer.from_pretrained(...).save_pretrained(...)) and drop the folder again.';
  return 'Drop the whole folder of the model, or choose config.json, the .safetensors files and tokenizer.json together.';
}

/** What config.json says that matters before loading; what it does not say stays open. */
export function readOwnConfig(json: string): OwnConfig | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const config = value as Record<string, unknown>;
  const number = (...names: string[]) =>
    names.map((name) => config[name]).find((entry): entry is number => Number.isSafeInteger(entry));
  const encoder = number('num_layers', 'num_hidden_layers', 'n_layer');
  return {
    family: typeof config.model_type === 'string' ? config.model_type : 'unknown',
    width: number('d_model', 'hidden_size', 'n_embd'),
    layers: encoder === undefined ? undefined : [encoder, number('num_decoder_layers') ?? encoder],
    vocabSize: number('vocab_size'),
  };
}

/** Whether weights of so many bytes, none of them in a buffer larger than `largest`, are allowed here. */
export function roomFor(bytes: number, bufferBytes: number): 'fits' | 'perhaps' {
  return bytes <= bufferBytes ? 'fits' : 'perhaps';
}
