/**
 * Takes a family of T5 v1.1 models in Hugging Face layout into a folder of built-in models: each model is checked (config,
 * names and shapes of all tensors, finite values, tokenizer), stored in half precision, and listed in `index.json`.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/** The files of the result, by path. */
type Files = Map<string, Uint8Array>;

/** Adds a file to the result and gives its entry of the list. */
async function add(
  files: Files,
  role: ModelFile['role'],
  path: string,
  bytes: Uint8Array,
): Promise<ModelFile> {
  files.set(path, bytes);
  return { role, path, bytes: bytes.byteLength, sha256: await sha256(bytes) };
}

async function takeModel(
  source: string,
  id: string,
  files: Files,
  shared: readonly ModelFile[],
  vocabulary: number,
): Promise<ModelEntry> {
  const folder = join(source, id);
  const configFile = await readFile(join(folder, 'config.json'));
  const config = readConfig(`${id}/config.json`, configFile.toString('utf8'));
  if (vocabulary > config.vocab_size) {
    const message = `${id}: the tokenizer has ${vocabulary} pieces, the model ${config.vocab_size} rows.`;
    const where = `${id}/tokenizer.json`;
    throw new PreludeError('bad-tokenizer', message, {
      where,
      remedy: "Give the model's own tokenizer.json.",
    });
  }
  const weightFile = `${id}/model.safetensors`;
  const original = await openSafetensors(bytesSource(await readFile(join(source, weightFile)), weightFile));
  const bytes = writeSafetensors(await halfPrecision(original, config), { format: 'pt' });
  const weights = await openSafetensors(bytesSource(bytes, weightFile));
  const generationConfig = await readFile(join(folder, 'generation_config.json'));
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
      await add(files, 'config', `${id}/config.json`, configFile),
      await add(files, 'weights', weightFile, bytes),
      await add(files, 'generation-config', `${id}/generation_config.json`, generationConfig),
      ...shared,
    ],
  };
}

/** The one tokenizer of the family: all folders must have the same. */
async function takeTokenizer(
  source: string,
  ids: readonly string[],
): Promise<[text: Buffer, config: Buffer]> {
  const read = (id: string, file: string) => readFile(join(source, id, file));
  const first = await read(ids[0]!, 'tokenizer.json');
  for (const id of ids)
    if (!first.equals(await read(id, 'tokenizer.json'))) {
      const message = `${ids[0]} and ${id} have different tokenizers; the models of a family share one.`;
      throw new PreludeError('bad-tokenizer', message, {
        where: id,
        remedy: 'Take the folders of one edition.',
      });
    }
  return [first, await read(ids[0]!, 'tokenizer_config.json')];
}

/**
 * Takes every model folder in `source` and replaces `target`. All checks come before the first write: a source that fails
 * leaves the models of before as they were.
 * @throws PreludeError naming model, file and tensor
 */
export async function takeFamily(source: string, target: string): Promise<ModelCatalog> {
  const ids: string[] = [];
  for (const entry of await readdir(source, { withFileTypes: true }))
    if (entry.isDirectory() && (await readdir(join(source, entry.name))).includes('config.json'))
      ids.push(entry.name);
  if (ids.length === 0)
    throw new PreludeError('bad-config', `${source} has no folder with a config.json.`, {
      where: source,
      remedy: 'Name the folder that holds the model folders.',
    });
  const [tokenizerFile, tokenizerConfigFile] = await takeTokenizer(source, ids);
  const tokenizer = loadTokenizer(
    JSON.parse(tokenizerFile.toString('utf8')),
    JSON.parse(tokenizerConfigFile.toString('utf8')),
  );
  const files: Files = new Map();
  const shared = [
    await add(files, 'tokenizer', 'tokenizer.json', tokenizerFile),
    await add(files, 'tokenizer-config', 'tokenizer_config.json', tokenizerConfigFile),
  ];
  const models: ModelEntry[] = [];
  for (const id of ids) models.push(await takeModel(source, id, files, shared, tokenizer.size));
  models.sort((a, b) => a.parameters - b.parameters || (a.id < b.id ? -1 : 1));
  const catalog: ModelCatalog = {
    format: 'prelude-models/1',
    default: ids.includes(DEFAULT_MODEL) ? DEFAULT_MODEL : models[0]!.id,
    models,
  };
  const text = new TextEncoder();
  files.set('index.json', text.encode(`${JSON.stringify(catalog, null, 2)}\n`));
  files.set('README.md', text.encode(modelCard(catalog)));

  await rm(target, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await writeFile(join(target, path), bytes);
  }
  return catalog;
}
