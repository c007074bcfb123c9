import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bytesSource,
  openSafetensors,
  type TensorData,
  toFloat32,
  writeSafetensors,
} from '../src/weights/index.ts';
import { takeFamily } from './model-family.ts';

const CONFIG = {
  model_type: 't5',
  feed_forward_proj: 'gated-gelu',
  d_model: 4,
  d_kv: 2,
  d_ff: 6,
  num_heads: 3,
  num_layers: 1,
  num_decoder_layers: 2,
  relative_attention_num_buckets: 8,
  vocab_size: 10,
  tie_word_embeddings: false,
};
const TOKENIZER = {
  added_tokens: [],
  model: { type: 'Unigram', unk_id: 0, vocab: [...'?abcdefgh'].map((piece, i) => [piece, -i]) },
};

/** All tensors of that config, float32, every value the same. */
function tensors(value = 0.1): TensorData[] {
  const shapes: Record<string, number[]> = { 'shared.weight': [10, 4], 'lm_head.weight': [10, 4] };
  const attention = (at: string) => {
    for (const matrix of ['q', 'k', 'v']) shapes[`${at}.${matrix}.weight`] = [6, 4];
    shapes[`${at}.o.weight`] = [4, 6];
  };
  const feedForward = (at: string) => {
    for (const matrix of ['wi_0', 'wi_1']) shapes[`${at}.DenseReluDense.${matrix}.weight`] = [6, 4];
    shapes[`${at}.DenseReluDense.wo.weight`] = [4, 6];
  };
  for (const [stack, block] of [
    ['encoder', 0],
    ['decoder', 0],
    ['decoder', 1],
  ] as const) {
    const at = `${stack}.block.${block}.layer`;
    attention(`${at}.0.SelfAttention`);
    if (stack === 'decoder') attention(`${at}.1.EncDecAttention`);
    if (block === 0) shapes[`${at}.0.SelfAttention.relative_attention_bias.weight`] = [8, 3];
    const last = stack === 'encoder' ? 1 : 2;
    feedForward(`${at}.${last}`);
    for (let layer = 0; layer <= last; layer++) shapes[`${at}.${layer}.layer_norm.weight`] = [4];
    shapes[`${stack}.final_layer_norm.weight`] = [4];
  }
  return Object.entries(shapes).map(([name, shape]) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b)).fill(value);
    return { name, dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
  });
}

let root = '';
let target = '';
async function writeModel(
  id: string,
  parts: { config?: object; tokenizer?: object; tensors?: TensorData[] } = {},
) {
  const folder = join(root, 'family', id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, ...parts.config }));
  await writeFile(join(folder, 'generation_config.json'), '{}');
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(parts.tokenizer ?? TOKENIZER));
  await writeFile(join(folder, 'tokenizer_config.json'), '{}');
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(parts.tensors ?? tensors()));
}
const take = () => takeFamily(join(root, 'family'), target);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'prelude-models-'));
  target = join(root, 'out');
});
afterEach(() => rm(root, { recursive: true }));

describe('takeFamily', () => {
  it('stores half precision and lists what it wrote, twice the same', async () => {
    await writeModel('tiny');
    await writeModel('small');
    const catalog = await take();
    expect(catalog.default).toBe('small');
    expect(catalog.models.map((model) => model.id)).toEqual(['small', 'tiny']);
    const weights = await openSafetensors(
      bytesSource(await readFile(join(target, 'tiny', 'model.safetensors'))),
    );
    expect(weights.tensors.size).toBe(tensors().length);
    expect(toFloat32(await weights.read('lm_head.weight'), 'F16')[0]).toBeCloseTo(0.1, 4);
    expect(await readdir(join(target, 'tiny'))).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
    ]);

    const before = await readFile(join(target, 'index.json'));
    await take();
    expect(await readFile(join(target, 'index.json'))).toEqual(before);
  });

  const without = (name: string) => tensors().filter((tensor) => tensor.name !== name);
  it.each<[string, Parameters<typeof writeModel>[1], RegExp]>([
    ['another architecture', { config: { model_type: 'bart' } }, /model_type is "bart"/],
    ['T5 v1.0', { config: { feed_forward_proj: 'relu' } }, /"relu"/],
    ['a config without sizes', { config: { d_model: null } }, /d_model is undefined, not a number/],
    ['a missing tensor', { tensors: without('lm_head.weight') }, /tensor "lm_head\.weight": it is missing/],
    [
      'a tensor too many',
      { config: { tie_word_embeddings: true } },
      /"lm_head\.weight": a T5 v1\.1 with this config has no/,
    ],
    ['a shape that does not fit', { config: { d_ff: 7 } }, /by the config it should be \[7, 4\]/],
    ['values that are no numbers', { tensors: tensors(Number.NaN) }, /NaN/],
    ['values beyond half precision', { tensors: tensors(1e6) }, /too large for half precision/],
    ['more pieces than rows', { config: { vocab_size: 8 } }, /9 pieces, the model 8 rows/],
    ['a tokenizer of its own', { tokenizer: { ...TOKENIZER, version: '1.0' } }, /different tokenizers/],
  ])('refuses %s and leaves the models of before', async (_, parts, message) => {
    await writeModel('good');
    await take();
    const before = await readFile(join(target, 'index.json'));
    await writeModel('new', parts);
    await expect(take()).rejects.toThrow(message);
    expect(await readFile(join(target, 'index.json'))).toEqual(before);
  });

  it('refuses a folder without models', async () => {
    await mkdir(join(root, 'family'));
    await expect(take()).rejects.toThrow(/no folder with a config\.json/);
  });
});
