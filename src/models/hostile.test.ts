/** Configs and GGUF metadata that lie: a model of the sizes that the file has, or a refusal, within a second of computing. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { damaged, endsOrRefuses, refusal, tries, watched } from '../testing/hostile.ts';
import { loadTokenizer } from '../text/index.ts';
import { bytesSource, openSafetensors, type WeightFile } from '../weights/index.ts';
import { writeGguf } from '../weights/testing/gguf.ts';
import { loadGguf } from './gguf.ts';
import { makeModel } from './registry.ts';

const FAMILIES = [
  'llama',
  'phi3-longrope',
  'qwen3',
  'olmo2',
  'gemma2',
  'gemma3',
  'gpt2',
  'gpt_neox',
  'opt',
  't5',
  'umt5',
];
const path = (file: string) => new URL(`./testdata/models/${file}`, import.meta.url);
const published = await Promise.all(
  FAMILIES.map(async (name) => ({
    name,
    config: JSON.parse(readFileSync(path(`${name}/config.json`), 'utf8')) as Record<string, unknown>,
    weights: await openSafetensors(bytesSource(readFileSync(path(`${name}/model.safetensors`)), name)),
  })),
);

/** Numbers that a file may hold in the place of a size. */
const NUMBERS = [0, -1, 0.5, 2 ** 31, 2 ** 31 - 1, 2 ** 53, 1e300, Number.POSITIVE_INFINITY];

describe.each(published)('the config of $name', ({ name, config, weights }) => {
  test('with a size of another kind is refused, or makes the same model', async () => {
    for (const [key, value] of Object.entries(config))
      if (typeof value === 'number')
        for (const number of NUMBERS)
          await endsOrRefuses(() => makeModel({ ...config, [key]: number }, weights));
  });

  test('with a million layers is refused before one is built', async () => {
    for (const key of Object.keys(config).filter((k) => /(num_|n_)(decoder_)?(hidden_)?layers?$/.test(k))) {
      const error = await refusal(() => makeModel({ ...config, [key]: 1e6 }, weights));
      expect(error.message).toContain(key);
    }
  });

  test('with junk in any place opens or is refused', async () => {
    const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...NUMBERS));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(config)), junk, (key, value) =>
        endsOrRefuses(() => makeModel({ ...config, [key]: value }, weights)),
      ),
      tries(150),
    );
  });

  test('with tensors of other shapes is refused by the tensor’s name', async () => {
    for (const [tensor, info] of weights.tensors) {
      const shape = info.shape.map((size, i) => (i === 0 ? size + 1 : size));
      const tensors: WeightFile['tensors'] = new Map([...weights.tensors, [tensor, { ...info, shape }]]);
      const error = await refusal(() => makeModel(config, { tensors }));
      expect(error.message, `${name}, ${tensor}`).toMatch(/tensor|rows|shape|columns/);
    }
  });
});

test.each([
  null,
  [],
  'llama',
  7,
  {},
  { model_type: {} },
  { model_type: '__proto__' },
  { model_type: 'constructor' },
])('a config.json of %o is refused', async (config) => {
  expect((await refusal(() => makeModel(config, published[0]!.weights))).message).toContain('config.json');
});

// ------------------------------------------------------- GGUF

const metadata = {
  'general.architecture': 'llama',
  'llama.block_count': 1,
  'llama.embedding_length': 8,
  'llama.feed_forward_length': 4,
  'llama.attention.head_count': 2,
  'llama.context_length': 16,
  'llama.attention.layer_norm_rms_epsilon': 1e-5,
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': ['<unk>', '▁', 'a', '▁a'],
  'tokenizer.ggml.scores': [0, -1, -2, -3],
  'tokenizer.ggml.token_type': [2, 1, 1, 1],
};
const SHAPES: Record<string, number[]> = {
  'token_embd.weight': [4, 8],
  'output_norm.weight': [8],
  'blk.0.attn_norm.weight': [8],
  'blk.0.attn_q.weight': [8, 8],
  'blk.0.attn_k.weight': [8, 8],
  'blk.0.attn_v.weight': [8, 8],
  'blk.0.attn_output.weight': [8, 8],
  'blk.0.ffn_norm.weight': [8],
  'blk.0.ffn_gate.weight': [4, 8],
  'blk.0.ffn_up.weight': [4, 8],
  'blk.0.ffn_down.weight': [8, 4],
};
const write = (change: Record<string, string | number | string[]> = {}) =>
  writeGguf(
    { ...metadata, ...change },
    Object.entries(SHAPES).map(([name, shape]) => ({
      name,
      shape,
      values: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
    })),
  );

/** All that opening a GGUF file does before the device is asked. */
async function open(bytes: Uint8Array): Promise<void> {
  const { source, seen } = watched(bytes, 'm.gguf');
  const loaded = await loadGguf(source).finally(() =>
    expect(seen.bytes).toBeLessThanOrEqual(3 * bytes.length),
  );
  makeModel(loaded.config, loaded.weights);
  loadTokenizer(loaded.tokenizerJson, loaded.tokenizerConfigJson);
}

describe('a GGUF file', () => {
  test('is good to begin with', () => open(write()));

  test('with any number of another kind in its metadata opens or is refused', async () => {
    for (const [key, value] of Object.entries(metadata))
      if (typeof value === 'number')
        for (const number of [
          0,
          3,
          -1,
          0.5,
          2 ** 31,
          2 ** 32 - 1,
          Number.NaN,
          Number.POSITIVE_INFINITY,
          1e30,
        ])
          await endsOrRefuses(() => open(write({ [key]: number })));
  });

  test.each<[string, number, RegExp]>([
    ['llama.block_count', 2 ** 32 - 1, /num_hidden_layers/],
    ['llama.block_count', 2, /blk|layers.1/],
    ['llama.attention.head_count', 0, /head_dim|columns|heads|hidden/],
    ['llama.attention.head_count', 3, /./],
    ['llama.attention.key_length', 2 ** 31, /./],
    ['llama.attention.key_length', -2, /./],
    ['llama.embedding_length', 2 ** 31, /./],
    ['llama.rope.dimension_count', 2 ** 31, /columns of a head/],
    ['llama.expert_count', 8, /experts/],
  ])('with %s of %d is refused', async (key, value, message) => {
    expect((await refusal(() => open(write({ [key]: value })))).message).toMatch(message);
  });

  test('damaged anywhere opens or is refused', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(write()), (bytes) => endsOrRefuses(() => open(bytes))),
      tries(500),
    );
  });
});
