import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PreludeError } from '../errors.ts';
import { loadTokenizer } from '../text/index.ts';
import { bytesSource, openSafetensors, type WeightFile } from '../weights/index.ts';
import { fromGguf, loadGguf } from './gguf.ts';
import { readFrozen } from './load.ts';
import { makeModel } from './registry.ts';
import { type Rotary, rotaryFrequencies, rotaryGain } from './rotary.ts';

type Config = Record<string, unknown>;

const read = (path: string) => readFileSync(new URL(`./testdata/models/${path}`, import.meta.url));
const configOf = (name: string): Config => JSON.parse(read(`${name}/config.json`).toString());
const weightsOf = (name: string): Promise<WeightFile> =>
  openSafetensors(bytesSource(read(`${name}/model.safetensors`), `${name}/model.safetensors`));

async function failure(name: string, change: Config, without?: string): Promise<PreludeError> {
  const weights = await weightsOf(name);
  const tensors = new Map(weights.tensors);
  if (without) tensors.delete(without);
  try {
    makeModel({ ...configOf(name), ...change }, { ...weights, tensors });
  } catch (error) {
    expect(error).toBeInstanceOf(PreludeError);
    return error as PreludeError;
  }
  throw new Error(`${name} with ${JSON.stringify(change)} was accepted`);
}

describe('configs', () => {
  test.each([
    ['llama', 'Llama', [0, 2], 24],
    ['qwen3', 'Qwen3', [0, 2], 24],
    ['gemma3', 'Gemma 3', [0, 3], 24],
    ['gpt2', 'GPT-2', [0, 2], 24],
    ['gpt_neox', 'GPT-NeoX', [0, 2], 32],
    ['mt5', 'mT5', [2, 2], 24],
  ] as const)('%s is read as %s', async (name, family, layers, width) => {
    const { info } = makeModel(configOf(name), await weightsOf(name));
    expect(info).toMatchObject({ family, layers, width, vocabSize: 40, heads: 4, padId: 0 });
  });

  test.each(['llama', 'gemma3', 'gpt2', 'gpt_neox', 'opt', 't5'])(
    '%s: a key that nobody knows is refused by name',
    async (name) => {
      const error = await failure(name, { attention_temperature: 2 });
      expect(error.code).toBe('unsupported-model');
      expect(error.message).toContain('attention_temperature');
    },
  );

  test('keys that say nothing of the arithmetic are passed over, and so is null', async () => {
    const config = { ...configOf('llama'), transformers_version: '4.40', _name_or_path: 'x', quirk: null };
    expect(makeModel(config, await weightsOf('llama')).kind).toBe('causal');
  });

  test.each([
    ['llama', { rope_scaling: { type: 'ntk-by-parts', factor: 2 } }, 'ntk-by-parts'],
    ['llama', { rope_scaling: { rope_type: 'yarn', factor: 2 } }, 'original_max_position_embeddings'],
    ['llama', { rope_scaling: { rope_type: 'default', mrope_section: [1, 1, 1] } }, 'mrope_section'],
    [
      'phi3-longrope',
      { rope_scaling: { type: 'longrope', short_factor: [1, 2], long_factor: [1, 2] } },
      '3 frequencies',
    ],
    ['llama', { rope_scaling: { rope_type: 'linear' } }, 'factor'],
    ['llama', { hidden_act: 'gelu' }, 'hidden_act'],
    ['llama', { mlp_bias: true }, 'mlp_bias'],
    ['llama', { quantization_config: { bits: 4 } }, 'quantization_config'],
    ['gemma3', { attention_bias: true }, 'attention_bias'],
    ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'scale_attn_by_inverse_layer_idx'],
    ['opt', { do_layer_norm_before: false }, 'do_layer_norm_before'],
    ['t5', { feed_forward_proj: 'gated-relu6' }, 'feed_forward_proj'],
    ['t5', { model_type: 'bloom' }, 'bloom'],
  ])('%s with %o is refused', async (name, change, word) => {
    const error = await failure(name, change);
    expect(error.code).toBe('unsupported-model');
    expect(error.message).toContain(word);
  });

  test.each([
    ['llama', { hidden_size: undefined }, 'hidden_size'],
    ['gpt2', { n_layer: 1.5 }, 'n_layer'],
    ['t5', { d_model: 0 }, 'd_model'],
  ])('%s with %o is no config', async (name, change, key) => {
    const error = await failure(name, change);
    expect(error.code).toBe('bad-config');
    expect(error.message).toContain(key);
  });

  test('weights that do not fit the config are named', async () => {
    const shape = await failure('llama', { intermediate_size: 40 });
    expect(shape).toMatchObject({ code: 'bad-weights', where: 'model.layers.0.mlp.gate_proj.weight' });
    const gone = await failure('llama', {}, 'model.layers.1.self_attn.k_proj.weight');
    expect(gone).toMatchObject({ code: 'bad-weights', where: 'model.layers.1.self_attn.k_proj.weight' });
  });
});

describe('rotaryFrequencies', () => {
  test('llama3 keeps short waves, divides long ones, and passes smoothly between', () => {
    const scaling = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    };
    const plain = rotaryFrequencies({}, 10_000, 16);
    const scaled = rotaryFrequencies(scaling, 10_000, 16);
    scaled.forEach((frequency, i) => {
      const wave = (2 * Math.PI) / plain[i];
      if (wave < 16) expect(frequency).toBe(plain[i]);
      else if (wave > 64) expect(frequency).toBeCloseTo(plain[i] / 8, 12);
      else {
        expect(frequency).toBeLessThan(plain[i]);
        expect(frequency).toBeGreaterThan(plain[i] / 8);
      }
    });
  });

  test('yarn keeps what turns often within the original length, and divides what hardly turns', () => {
    const rotary = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 2048 };
    const plain = rotaryFrequencies({}, 10_000, 64);
    const scaled = rotaryFrequencies(rotary, 10_000, 64);
    expect(scaled[0]).toBe(plain[0]);
    expect(scaled.at(-1)).toBeCloseTo(plain.at(-1)! / 4, 12);
    expect(rotaryGain(rotary, 8192)).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
    expect(rotaryGain({ ...rotary, attention_factor: 1.5 }, 8192)).toBe(1.5);
    expect(rotaryGain({}, 8192)).toBe(1);
  });

  test('longrope reads texts up to the original length, where its table is the short one', async () => {
    const { info } = makeModel(configOf('phi3-longrope'), await weightsOf('phi3-longrope'));
    expect(info.maxPositions).toBe(64);
  });

  test('linear divides all by the factor', () => {
    expect(rotaryFrequencies({ type: 'linear', factor: 4 }, 10_000, 4)[0]).toBe(0.25);
  });
});

describe('fromGguf', () => {
  /** A published model as llama.cpp stores it. */
  async function asGguf(name: string, architecture: string, headDim: number): Promise<WeightFile> {
    const source = await weightsOf(name);
    const short: Record<string, string> = {
      'model.embed_tokens': 'token_embd',
      'model.norm': 'output_norm',
      lm_head: 'output',
      input_layernorm: 'attn_norm',
      post_attention_layernorm: 'ffn_norm',
      'self_attn.o_proj': 'attn_output',
      ...(/gemma|olmo/.test(architecture) && {
        post_attention_layernorm: 'post_attention_norm',
        pre_feedforward_layernorm: 'ffn_norm',
        post_feedforward_layernorm: 'post_ffw_norm',
      }),
      'self_attn.qkv_proj': 'attn_qkv',
      'mlp.gate_up_proj': 'ffn_up',
    };
    const stored = (published: string) => {
      const [, layer, part, kind] = /^(?:model\.layers\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(published)!;
      const inner =
        short[part] ??
        part.replace(/^self_attn\.(\w+?)(_proj|_norm)$/, (_, p, s) => `attn_${p}${s === '_norm' ? s : ''}`);
      return `${layer === undefined ? '' : `blk.${layer}.`}${inner.replace(/^mlp\.(\w+)_proj$/, 'ffn_$1')}.${kind}`;
    };
    const names = new Map([...source.tensors.keys()].map((published) => [stored(published), published]));
    const c = configOf(name);
    const key = (path: string) => `${architecture}.${path}`;
    return {
      format: 'gguf',
      name: `${name}.gguf`,
      tensors: new Map([...names].map(([file, own]) => [file, { ...source.tensors.get(own)!, name: file }])),
      metadata: {
        'general.architecture': architecture,
        [key('embedding_length')]: 24,
        [key('feed_forward_length')]: 36,
        [key('block_count')]: c.num_hidden_layers as number,
        [key('context_length')]: 512,
        [key('attention.head_count')]: 4,
        [key('attention.head_count_kv')]: 2,
        [key('attention.key_length')]: headDim,
        [key('attention.layer_norm_rms_epsilon')]: c.rms_norm_eps as number,
        [key('rope.freq_base')]: c.rope_theta as number,
        ...(/gemma|phi/.test(architecture) && {
          [key('attention.sliding_window')]: c.sliding_window as number,
        }),
        ...(architecture === 'gemma2' && {
          [key('attn_logit_softcapping')]: 3,
          [key('final_logit_softcapping')]: 4,
        }),
        'tokenizer.ggml.eos_token_id': 1,
      },
      async read(file) {
        const own = names.get(file)!;
        const bytes = await source.read(own);
        if (/gemma/.test(architecture) && /norm\.weight$/.test(file))
          return new Uint8Array(new Float32Array(new Uint8Array(bytes).buffer).map((w) => w + 1).buffer);
        if (architecture !== 'llama' || !/attn_[qk]\./.test(file)) return bytes;
        // Halves to pairs: the way that is undone.
        const rows = source.tensors.get(own)!.shape[0];
        const width = bytes.byteLength / rows;
        const paired = new Uint8Array(bytes.byteLength);
        for (let row = 0; row < rows; row++) {
          const [head, i, h] = [row - (row % headDim), Math.floor((row % headDim) / 2), row % 2];
          const from = head + (h * headDim) / 2 + i;
          paired.set(bytes.subarray(from * width, (from + 1) * width), row * width);
        }
        return paired;
      },
    };
  }

  test.each([
    ['llama', 'llama', 6],
    ['qwen2', 'qwen2', 6],
    ['qwen3', 'qwen3', 8],
    ['olmo2', 'olmo2', 6],
    ['phi3', 'phi3', 6],
    ['gemma2', 'gemma2', 8],
    ['gemma3', 'gemma3', 8],
  ] as const)('%s: the same matrices as from the folder', async (name, architecture, headDim) => {
    const folder = await weightsOf(name);
    const model = makeModel(configOf(name), folder);
    const { config, weights } = fromGguf(await asGguf(name, architecture, headDim));
    const again = makeModel(config, weights);
    expect(again.info).toEqual({ ...model.info, startId: again.info.startId, padId: again.info.padId });
    expect(again.frozen).toHaveLength(model.frozen.length);
    for (const [i, frozen] of again.frozen.entries())
      expect(await readFrozen(weights, frozen)).toEqual(await readFrozen(folder, model.frozen[i]));
  });

  test('an architecture, a key or a tensor that is not known is refused by name', async () => {
    const file = await asGguf('llama', 'llama', 6);
    for (const key of ['llama.attention.clamp_kqv', 'llama.logit_scale', 'llama.rope.scaling.attn_factor'])
      expect(() => fromGguf({ ...file, metadata: { ...file.metadata, [key]: 2 } })).toThrow(key);
    expect(() =>
      fromGguf({ ...file, metadata: { ...file.metadata, 'llama.attention.value_length': 7 } }),
    ).toThrow('values of 7');
    expect(() => fromGguf({ ...file, metadata: { 'general.architecture': 'mamba' } })).toThrow('"mamba"');
    expect(() => fromGguf({ ...file, metadata: { ...file.metadata, 'split.count': 3 } })).toThrow(
      'one of 3 parts',
    );
    const tensors = new Map([
      ...file.tensors,
      [
        'rope_factors_long.weight',
        { ...file.tensors.get('output_norm.weight')!, name: 'rope_factors_long.weight' },
      ],
    ]);
    expect(() => fromGguf({ ...file, tensors })).toThrow('rope_factors_long.weight');
  });

  test('divisors of rotary frequencies stand for the scaling of Llama 3', async () => {
    const folder = await weightsOf('llama3');
    const model = makeModel(configOf('llama3'), folder);
    const file = await asGguf('llama3', 'llama', 10);
    const plain = rotaryFrequencies({}, 500_000, 10);
    const scaled = rotaryFrequencies(configOf('llama3').rope_scaling as Rotary, 500_000, 10);
    const name = 'rope_freqs.weight';
    const { config, weights } = fromGguf({
      ...file,
      metadata: { ...file.metadata, 'llama.rope.freq_base': 500_000 },
      tensors: new Map([
        ...file.tensors,
        [name, { name, dtype: 'F32', shape: [5], byteOffset: 0, byteLength: 20 }],
      ]),
      read: async (tensor) =>
        tensor === name
          ? new Uint8Array(Float32Array.from(plain, (frequency, i) => frequency / scaled[i]).buffer)
          : file.read(tensor),
    });
    const again = makeModel(config, weights);
    const tables = [
      await readFrozen(folder, model.frozen.find(({ tensor }) => tensor.name === 'rotary')!),
      await readFrozen(weights, again.frozen.find(({ tensor }) => tensor.name === 'rotary')!),
    ];
    expect(tables[1]).toHaveLength(tables[0].length);
    expect(Math.max(...tables[0].map((value, i) => Math.abs(value - tables[1][i])))).toBeLessThan(1e-4);
  });

  test('a file is opened with its tokenizer and its fingerprint', async () => {
    const bytes = readFileSync(new URL('./testdata/gguf/tiny-f32.gguf', import.meta.url));
    const { prompts } = JSON.parse(
      readFileSync(new URL('./testdata/gguf/tiny-f32.json', import.meta.url)).toString(),
    ) as { prompts: { text: string; ids: number[] }[] };
    const loaded = await loadGguf(bytesSource(bytes, 'tiny-f32.gguf'));
    expect(makeModel(loaded.config, loaded.weights).info).toMatchObject({
      width: 64,
      vocabSize: 701,
      eosId: 700,
    });
    expect(loaded.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    const tokenizer = loadTokenizer(loaded.tokenizerJson, loaded.tokenizerConfigJson);
    for (const { text, ids } of prompts) expect(tokenizer.encode(text)).toEqual(ids);
  });

  test('a piece of a matrix in another row order is read with its heads only, and is what the whole has there', async () => {
    const file = await asGguf('llama', 'llama', 6);
    let longest = 0;
    const pieces = {
      ...file,
      readPart: async (name: string, offset: number, length: number) => {
        longest = Math.max(longest, length);
        return (await file.read(name)).subarray(offset, offset + length);
      },
    };
    const { weights } = fromGguf(pieces);
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const whole = await weights.read(name);
    longest = 0;
    const head = whole.byteLength / 4;
    for (const [offset, length] of [
      [0, 40],
      [head - 8, 16],
      [head + 100, 2 * head],
      [whole.byteLength - 20, 20],
    ] as const)
      expect(await weights.readPart!(name, offset, length)).toEqual(whole.subarray(offset, offset + length));
    expect(longest).toBeLessThanOrEqual(3 * head);
  });
});
