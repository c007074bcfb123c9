/**
 * `npm run models [SOURCE_DIR]`: takes a family of T5 v1.1 models in Hugging Face layout (default: nano-t5 beside this
 * project) into `public/models/`, the built-in models of the studio. Each model is checked (config, names and shapes of
 * all tensors, finite values, tokenizer), stored in half precision, and listed in `index.json` with sizes and SHA-256.
 * Running it again on the same source writes the same bytes; a better edition of the family may replace an older one.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PreludeError } from '../src/errors.ts';
import { loadTokenizer } from '../src/text/index.ts';
import {
  bytesSource,
  fingerprintOf,
  type ModelCatalog,
  type ModelEntry,
  type ModelFile,
  openSafetensors,
  parameterCount,
  sha256,
  type TensorData,
  toFloat32,
  toHalfBytes,
  type WeightFile,
  writeSafetensors,
} from '../src/weights/index.ts';
import { modelCard } from './model-card.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TARGET = join(ROOT, 'public', 'models');
/** Files are written here first: a source that fails a check leaves the models of before as they were. */
const STAGING = join(ROOT, 'public', 'models.new');

/** The model the studio opens with: the best trained of the family, by its recipe. */
const DEFAULT_MODEL = 'small';

/** What each member is good for, in one sentence, after the family's recipe. */
const GOOD_FOR: Record<string, string> = {
  tiny: 'The quickest: trains in seconds on any device and learns the same tasks, a little less well.',
  small: 'The one to show first: the best trained of the family, and still quick.',
  base: "The widest and deepest; it saw half of small's tokens, so expect about the same accuracy from it.",
  'base-span':
    'base before its adaptation, knowing span corruption only: shows why the paper adapts T5 to language modelling first.',
};

/** The keys of `config.json` that decide a T5's shapes. */
interface T5Config {
  d_model: number;
  d_kv: number;
  d_ff: number;
  num_heads: number;
  num_layers: number;
  num_decoder_layers: number;
  relative_attention_num_buckets: number;
  vocab_size: number;
  tie_word_embeddings: boolean;
}

function readConfig(where: string, text: string): T5Config {
  const json = JSON.parse(text) as Record<string, unknown>;
  const bad = (message: string) =>
    new PreludeError('bad-config', `${where}: ${message}`, {
      where,
      remedy: 'Give a folder of T5 v1.1 models.',
    });
  if (json.model_type !== 't5') throw bad(`model_type is ${JSON.stringify(json.model_type)}, not "t5".`);
  if (json.feed_forward_proj !== 'gated-gelu')
    throw bad(
      `feed_forward_proj is ${JSON.stringify(json.feed_forward_proj)}, not the "gated-gelu" of T5 v1.1.`,
    );
  const size = (key: string, fallback?: unknown): number => {
    const value = json[key] ?? fallback;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
      throw bad(`${key} is ${JSON.stringify(value)}, not a number from 1 up.`);
    return value;
  };
  return {
    d_model: size('d_model'),
    d_kv: size('d_kv'),
    d_ff: size('d_ff'),
    num_heads: size('num_heads'),
    num_layers: size('num_layers'),
    num_decoder_layers: size('num_decoder_layers', json.num_layers),
    relative_attention_num_buckets: size('relative_attention_num_buckets', 32),
    vocab_size: size('vocab_size'),
    tie_word_embeddings: json.tie_word_embeddings !== false,
  };
}

/** Names and shapes of all tensors of a T5 v1.1. */
function expectedTensors(c: T5Config): Map<string, number[]> {
  const inner = c.num_heads * c.d_kv;
  const shapes = new Map<string, number[]>([['shared.weight', [c.vocab_size, c.d_model]]]);
  if (!c.tie_word_embeddings) shapes.set('lm_head.weight', [c.vocab_size, c.d_model]);
  for (const stack of ['encoder', 'decoder']) {
    const layers = stack === 'encoder' ? c.num_layers : c.num_decoder_layers;
    const attentions = stack === 'encoder' ? ['SelfAttention'] : ['SelfAttention', 'EncDecAttention'];
    for (let block = 0; block < layers; block++) {
      const at = `${stack}.block.${block}.layer`;
      attentions.forEach((attention, layer) => {
        for (const matrix of ['q', 'k', 'v'])
          shapes.set(`${at}.${layer}.${attention}.${matrix}.weight`, [inner, c.d_model]);
        shapes.set(`${at}.${layer}.${attention}.o.weight`, [c.d_model, inner]);
        shapes.set(`${at}.${layer}.layer_norm.weight`, [c.d_model]);
      });
      if (block === 0)
        shapes.set(`${at}.0.SelfAttention.relative_attention_bias.weight`, [
          c.relative_attention_num_buckets,
          c.num_heads,
        ]);
      const feedForward = attentions.length;
      for (const matrix of ['wi_0', 'wi_1'])
        shapes.set(`${at}.${feedForward}.DenseReluDense.${matrix}.weight`, [c.d_ff, c.d_model]);
      shapes.set(`${at}.${feedForward}.DenseReluDense.wo.weight`, [c.d_model, c.d_ff]);
      shapes.set(`${at}.${feedForward}.layer_norm.weight`, [c.d_model]);
    }
    shapes.set(`${stack}.final_layer_norm.weight`, [c.d_model]);
  }
  return shapes;
}

/** Checks every tensor and gives it in half precision: F16 bytes as they are, wider dtypes rounded to nearest. */
async function halfPrecision(weights: WeightFile, config: T5Config): Promise<TensorData[]> {
  const expected = expectedTensors(config);
  const bad = (tensor: string, message: string) =>
    new PreludeError('bad-weights', `${weights.name}, tensor "${tensor}": ${message}`, {
      where: weights.name,
      remedy: 'Export the model again: its weights do not fit its config.json.',
    });
  // Some exports repeat the shared embedding under the names of the stacks.
  for (const name of weights.tensors.keys())
    if (!expected.has(name) && !/^(encoder|decoder)\.embed_tokens\.weight$/.test(name))
      throw bad(name, 'a T5 v1.1 with this config has no such tensor.');
  const tensors: TensorData[] = [];
  for (const [name, shape] of expected) {
    const info = weights.tensors.get(name);
    if (!info) throw bad(name, 'it is missing.');
    if (info.shape.join() !== shape.join())
      throw bad(
        name,
        `its shape is [${info.shape.join(', ')}], by the config it should be [${shape.join(', ')}].`,
      );
    const bytes = await weights.read(name);
    const values = toFloat32(bytes, info.dtype);
    const half = info.dtype === 'F16' ? bytes : toHalfBytes(values);
    if (!toFloat32(half, 'F16').every(Number.isFinite))
      throw bad(name, 'it has values that are NaN, infinite, or too large for half precision.');
    tensors.push({ name, dtype: 'F16', shape, data: half });
  }
  return tensors;
}

/** Writes a file of the result and gives its entry of the index. */
async function write(role: ModelFile['role'], path: string, data: string | Uint8Array): Promise<ModelFile> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  await mkdir(dirname(join(STAGING, path)), { recursive: true });
  await writeFile(join(STAGING, path), bytes);
  return { role, path, bytes: bytes.byteLength, sha256: await sha256(bytes) };
}

async function takeModel(
  source: string,
  id: string,
  shared: readonly ModelFile[],
  vocabulary: number,
): Promise<ModelEntry> {
  const folder = join(source, id);
  const configText = await readFile(join(folder, 'config.json'), 'utf8');
  const config = readConfig(`${id}/config.json`, configText);
  if (vocabulary > config.vocab_size)
    throw new PreludeError(
      'bad-tokenizer',
      `${id}: the tokenizer has ${vocabulary} pieces, the model ${config.vocab_size} rows.`,
      {
        where: `${id}/tokenizer.json`,
        remedy: "Give the model's own tokenizer.json.",
      },
    );
  const file = await readFile(join(folder, 'model.safetensors'));
  const original = await openSafetensors(bytesSource(file, `${id}/model.safetensors`));
  const bytes = writeSafetensors(await halfPrecision(original, config), { format: 'pt' });
  const weights = await openSafetensors(bytesSource(bytes, `${id}/model.safetensors`));
  return {
    id,
    title: `nano-T5 ${id}`,
    goodFor: GOOD_FOR[id] ?? 'A further member of the family.',
    parameters: parameterCount(weights),
    d_model: config.d_model,
    encoderLayers: config.num_layers,
    decoderLayers: config.num_decoder_layers,
    heads: config.num_heads,
    d_kv: config.d_kv,
    d_ff: config.d_ff,
    vocab: config.vocab_size,
    dtype: 'F16',
    fingerprint: await fingerprintOf(weights),
    files: [
      await write('config', `${id}/config.json`, configText),
      await write('weights', `${id}/model.safetensors`, bytes),
      await write(
        'generation-config',
        `${id}/generation_config.json`,
        await readFile(join(folder, 'generation_config.json')),
      ),
      ...shared,
    ],
  };
}

async function main(): Promise<void> {
  const source = resolve(process.argv[2] ?? join(ROOT, '..', 'shared', 'models', 'nano-t5'));
  const ids: string[] = [];
  for (const entry of await readdir(source, { withFileTypes: true }))
    if (entry.isDirectory() && (await readdir(join(source, entry.name))).includes('config.json'))
      ids.push(entry.name);
  if (ids.length === 0) throw new Error(`${source} has no folder with a config.json.`);

  const tokenizers = await Promise.all(ids.map((id) => readFile(join(source, id, 'tokenizer.json'), 'utf8')));
  const tokenizerText = tokenizers[0]!;
  const other = tokenizers.findIndex((text) => text !== tokenizerText);
  if (other >= 0) throw new Error(`${ids[0]} and ${ids[other]} have different tokenizers; a family has one.`);
  const tokenizerConfigText = await readFile(join(source, ids[0]!, 'tokenizer_config.json'), 'utf8');
  const tokenizer = loadTokenizer(JSON.parse(tokenizerText), JSON.parse(tokenizerConfigText));

  await rm(STAGING, { recursive: true, force: true });
  const shared = [
    await write('tokenizer', 'tokenizer.json', tokenizerText),
    await write('tokenizer-config', 'tokenizer_config.json', tokenizerConfigText),
  ];
  const models: ModelEntry[] = [];
  for (const id of ids) models.push(await takeModel(source, id, shared, tokenizer.size));
  models.sort((a, b) => a.parameters - b.parameters || (a.id < b.id ? -1 : 1));
  const fallback = models[0]!.id;
  const catalog: ModelCatalog = {
    format: 'prelude-models/1',
    default: models.some((model) => model.id === DEFAULT_MODEL) ? DEFAULT_MODEL : fallback,
    models,
  };
  await writeFile(join(STAGING, 'index.json'), `${JSON.stringify(catalog, null, 2)}\n`);
  await writeFile(join(STAGING, 'README.md'), modelCard(catalog));
  await rm(TARGET, { recursive: true, force: true });
  await rename(STAGING, TARGET);

  for (const model of models) {
    const weights = model.files.find((file) => file.role === 'weights')!;
    console.log(
      `${model.id.padEnd(10)} ${model.parameters.toLocaleString('en').padStart(10)} parameters  ` +
        `${(weights.bytes / 1e6).toFixed(2).padStart(6)} MB  fingerprint ${model.fingerprint.slice(0, 12)}`,
    );
  }
  console.log(
    `${models.length} models in ${relative(process.cwd(), TARGET)}, tokenizer of ${tokenizer.size} pieces`,
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof PreludeError ? `${error.message}\n${error.remedy}` : error);
  process.exitCode = 1;
});
