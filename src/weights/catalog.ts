import * as v from 'valibot';
import { PreludeError } from '../errors.ts';
import { fingerprintOf, sha256 } from './fingerprint.ts';
import { type LoadedModel, parseJson } from './model-folder.ts';
import { openSafetensors } from './safetensors.ts';
import { type ByteProgress, bytesSource, fetchBytes } from './source.ts';

const FileSchema = v.object({
  role: v.picklist(['config', 'weights', 'tokenizer', 'tokenizer-config', 'generation-config']),
  /** Relative to the folder of the index. */
  path: v.string(),
  bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  sha256: v.string(),
});

const EntrySchema = v.object({
  id: v.string(),
  title: v.string(),
  /** One sentence: what the model is good for. */
  goodFor: v.string(),
  parameters: v.number(),
  d_model: v.number(),
  encoderLayers: v.number(),
  decoderLayers: v.number(),
  heads: v.number(),
  d_kv: v.number(),
  d_ff: v.number(),
  vocab: v.number(),
  dtype: v.string(),
  fingerprint: v.string(),
  files: v.array(FileSchema),
});

const CatalogSchema = v.object({
  format: v.literal('prelude-models/1'),
  /** Id of the model to open with. */
  default: v.string(),
  models: v.array(EntrySchema),
});

/** The list of built-in models, `index.json` in `public/models`; written by `npm run models`. */
export type ModelCatalog = v.InferOutput<typeof CatalogSchema>;
/** One model of the list. */
export type ModelEntry = v.InferOutput<typeof EntrySchema>;
/** One file of a model, with its size and SHA-256. */
export type ModelFile = v.InferOutput<typeof FileSchema>;

/**
 * Reads the list of built-in models.
 * @param baseUrl address of the folder with `index.json`; absolute in a worker, whose own address is another than the page's
 * @throws PreludeError 'download'
 */
export async function fetchCatalog(baseUrl: string, signal?: AbortSignal): Promise<ModelCatalog> {
  const url = join(baseUrl, 'index.json');
  const bytes = await fetchBytes(url, { signal });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw mismatch(url, 'it is no list of models: no valid JSON.', cause);
  }
  const result = v.safeParse(CatalogSchema, json);
  if (result.success) return result.output;
  throw mismatch(url, `it is no list of models: ${result.issues[0].message}.`);
}

/**
 * Downloads a model of the list whole, with progress over all its files, and checks each file's size and SHA-256.
 * @throws PreludeError 'download' (with what to do), 'bad-weights', 'bad-config', 'cancelled'
 */
export async function fetchModel(
  entry: ModelEntry,
  baseUrl: string,
  options: { onProgress?: (progress: ByteProgress) => void; signal?: AbortSignal } = {},
): Promise<LoadedModel> {
  const totalBytes = entry.files.reduce((sum, file) => sum + file.bytes, 0);
  const done = new Map<string, number>();
  const report = (path: string, bytes: number) => {
    done.set(path, bytes);
    options.onProgress?.({ bytes: [...done.values()].reduce((sum, each) => sum + each, 0), totalBytes });
  };
  const fetched = await Promise.all(
    entry.files.map(async (file): Promise<[ModelFile['role'], Uint8Array]> => {
      const url = join(baseUrl, file.path);
      const bytes = await fetchBytes(url, {
        signal: options.signal,
        onProgress: (progress) => report(file.path, progress.bytes),
      });
      if (bytes.byteLength !== file.bytes)
        throw mismatch(url, `${bytes.byteLength} bytes arrived, the list says ${file.bytes}.`);
      if ((await sha256(bytes)) !== file.sha256)
        throw mismatch(url, 'its contents are not those the list names.');
      return [file.role, bytes];
    }),
  );
  const files = new Map(fetched);
  const need = (role: ModelFile['role']): Uint8Array => {
    const bytes = files.get(role);
    if (!bytes)
      throw mismatch(join(baseUrl, 'index.json'), `the model "${entry.id}" has no file for its ${role}.`);
    return bytes;
  };
  const optional = (role: ModelFile['role']): unknown => {
    const bytes = files.get(role);
    return bytes ? parseJson(role, bytes) : undefined;
  };
  const weights = await openSafetensors(bytesSource(need('weights'), `${entry.id}/model.safetensors`));
  return {
    name: entry.id,
    config: parseJson('config.json', need('config')),
    generationConfig: optional('generation-config'),
    tokenizerJson: parseJson('tokenizer.json', need('tokenizer')),
    tokenizerConfigJson: optional('tokenizer-config'),
    weights,
    fingerprint: await fingerprintOf(weights),
  };
}

function join(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/$/, '')}/${path}`;
}

function mismatch(url: string, message: string, cause?: unknown): PreludeError {
  return new PreludeError('download', `${url.split('/').pop()}: ${message}`, {
    where: url,
    remedy: 'Reload the page without its cache (Shift + Reload). If it stays, run `npm run models` again.',
    cause,
  });
}
