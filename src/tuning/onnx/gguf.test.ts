/** Models as llama.cpp's conversion writes them, against PyTorch's values of the folder they were made from. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadGguf, makeModel } from '../../models/index.ts';
import type { OnnxRuntime } from '../../onnx/index.ts';
import { expectClose, testRuntime } from '../../onnx/testing.ts';
import { bytesSource, openSafetensors, toFloat32 } from '../../weights/index.ts';
import { writeGguf } from '../../weights/testing/gguf.ts';
import { type BatchExample, planAnswers } from '../batch.ts';
import { sgdDefaults } from '../recipe.ts';
import { createOnnxLearner } from './learner.ts';

interface Tensor {
  name: string;
  shape: readonly number[];
  values: Float32Array;
}
interface Conversion {
  /** Of testdata/models. */
  model: string;
  architecture: string;
  metadata(config: Record<string, number>): Record<string, number | boolean>;
  /** Published names to GGUF's, the number of a layer taken for granted. */
  names: Record<string, string>;
  change?(tensor: Tensor): Tensor;
  extra?(config: Record<string, unknown>): Tensor[];
}

const folder = new URL('../../models/testdata/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, folder));
const open = (path: string) => openSafetensors(bytesSource(read(path), path));

/** [rows, cols] turned round. */
function turned({ name, shape, values }: Tensor): Tensor {
  const [rows, cols] = shape as [number, number];
  return {
    name,
    shape: [cols, rows],
    values: values.map((_, i) => values[(i % rows) * cols + Math.floor(i / rows)]!),
  };
}

/** Rows of [heads, 3, size] one after another as [3, heads, size]. */
function stacked({ name, shape, values }: Tensor, heads: number): Tensor {
  const width = values.length / shape[0]!;
  const size = shape[0]! / heads / 3;
  const rows = Array.from({ length: shape[0]! }, (_, row) => {
    const [part, head, column] = [Math.floor(row / size / heads), Math.floor(row / size) % heads, row % size];
    const from = ((3 * head + part) * size + column) * width;
    return [...values.subarray(from, from + width)];
  });
  return { name, shape, values: Float32Array.from(rows.flat()) };
}

const factors = (name: string, values: unknown): Tensor => ({
  name,
  shape: [(values as number[]).length],
  values: Float32Array.from(values as number[]),
});

/** Source of names, orders and keys: `convert_hf_to_gguf.py` and gguf-py's `tensor_mapping.py` of llama.cpp. */
const CONVERSIONS: Conversion[] = [
  {
    model: 'gpt2',
    architecture: 'gpt2',
    metadata: (c) => ({
      context_length: c.n_positions!,
      embedding_length: c.n_embd!,
      feed_forward_length: 4 * c.n_embd!,
      block_count: c.n_layer!,
      'attention.head_count': c.n_head!,
      'attention.layer_norm_epsilon': c.layer_norm_epsilon!,
    }),
    names: {
      'transformer.wte': 'token_embd',
      'transformer.wpe': 'position_embd',
      'transformer.ln_f': 'output_norm',
      'transformer.h.#.ln_1': 'blk.#.attn_norm',
      'transformer.h.#.attn.c_attn': 'blk.#.attn_qkv',
      'transformer.h.#.attn.c_proj': 'blk.#.attn_output',
      'transformer.h.#.ln_2': 'blk.#.ffn_norm',
      'transformer.h.#.mlp.c_fc': 'blk.#.ffn_up',
      'transformer.h.#.mlp.c_proj': 'blk.#.ffn_down',
    },
    change: (tensor) =>
      /(attn_qkv|attn_output|ffn_\w+)\.weight$/.test(tensor.name) && tensor.shape.length === 2
        ? turned(tensor)
        : tensor,
  },
  {
    model: 'gpt_neox',
    architecture: 'gptneox',
    metadata: (c) => ({
      context_length: c.max_position_embeddings!,
      embedding_length: c.hidden_size!,
      feed_forward_length: c.intermediate_size!,
      block_count: c.num_hidden_layers!,
      'rope.dimension_count': Math.floor(c.rotary_pct! * (c.hidden_size! / c.num_attention_heads!)),
      'attention.head_count': c.num_attention_heads!,
      use_parallel_residual: true,
      'attention.layer_norm_epsilon': c.layer_norm_eps!,
    }),
    names: {
      'gpt_neox.embed_in': 'token_embd',
      'gpt_neox.final_layer_norm': 'output_norm',
      embed_out: 'output',
      'gpt_neox.layers.#.input_layernorm': 'blk.#.attn_norm',
      'gpt_neox.layers.#.attention.query_key_value': 'blk.#.attn_qkv',
      'gpt_neox.layers.#.attention.dense': 'blk.#.attn_output',
      'gpt_neox.layers.#.post_attention_layernorm': 'blk.#.ffn_norm',
      'gpt_neox.layers.#.mlp.dense_h_to_4h': 'blk.#.ffn_up',
      'gpt_neox.layers.#.mlp.dense_4h_to_h': 'blk.#.ffn_down',
    },
    change: (tensor) => (tensor.name.includes('attn_qkv') ? stacked(tensor, 4) : tensor),
  },
  {
    model: 'phi3-longrope',
    architecture: 'phi3',
    metadata: (c) => ({
      context_length: c.max_position_embeddings!,
      'rope.scaling.original_context_length': c.original_max_position_embeddings!,
      embedding_length: c.hidden_size!,
      feed_forward_length: c.intermediate_size!,
      block_count: c.num_hidden_layers!,
      'attention.head_count': c.num_attention_heads!,
      'attention.head_count_kv': c.num_key_value_heads!,
      'attention.layer_norm_rms_epsilon': c.rms_norm_eps!,
      'rope.dimension_count': c.hidden_size! / c.num_attention_heads!,
      'rope.freq_base': c.rope_theta!,
      'attention.sliding_window': 0,
      'rope.scaling.attn_factor': Math.sqrt(
        1 +
          Math.log(c.max_position_embeddings! / c.original_max_position_embeddings!) /
            Math.log(c.original_max_position_embeddings!),
      ),
    }),
    names: {
      'model.embed_tokens': 'token_embd',
      'model.norm': 'output_norm',
      lm_head: 'output',
      'model.layers.#.input_layernorm': 'blk.#.attn_norm',
      'model.layers.#.self_attn.qkv_proj': 'blk.#.attn_qkv',
      'model.layers.#.self_attn.o_proj': 'blk.#.attn_output',
      'model.layers.#.post_attention_layernorm': 'blk.#.ffn_norm',
      'model.layers.#.mlp.gate_up_proj': 'blk.#.ffn_up',
      'model.layers.#.mlp.down_proj': 'blk.#.ffn_down',
    },
    extra: ({ rope_scaling }) => {
      const { long_factor, short_factor } = rope_scaling as Record<string, unknown>;
      return [
        factors('rope_factors_long.weight', long_factor),
        factors('rope_factors_short.weight', short_factor),
      ];
    },
  },
];

/** The tiny vocabulary of 40 letters that the models have no tokenizer for. */
const tokenizer = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'gpt-2',
  'tokenizer.ggml.tokens': Array.from({ length: 40 }, (_, i) => String.fromCodePoint(0x41 + i)),
  'tokenizer.ggml.merges': ['A B'],
};

async function convert(
  { model, architecture, metadata, names, change = (t) => t, extra = () => [] }: Conversion,
  without?: string,
): Promise<Uint8Array> {
  const config = JSON.parse(read(`models/${model}/config.json`).toString());
  const weights = await open(`models/${model}/model.safetensors`);
  const tensors: Tensor[] = extra(config);
  for (const { name, shape, dtype } of weights.tensors.values()) {
    const [, module, kind] = /^(.*)\.(weight|bias)$/.exec(name)!;
    const layer = /\.(\d+)\./.exec(name)?.[1] ?? '';
    const stored = names[module!.replace(/\.\d+\./, '.#.')]!.replace('#', layer);
    tensors.push(
      change({ name: `${stored}.${kind}`, shape, values: toFloat32(await weights.read(name), dtype) }),
    );
  }
  const own = Object.entries(metadata(config)).map(([key, value]) => [`${architecture}.${key}`, value]);
  return writeGguf(
    { 'general.architecture': architecture, ...Object.fromEntries(own), ...tokenizer },
    tensors.filter(({ name }) => name !== without),
  );
}

let ort: OnnxRuntime;
beforeAll(async () => {
  ort = await testRuntime();
});

describe.each(CONVERSIONS)('a GGUF file of $architecture', (conversion) => {
  test('gives the loss, logits and gradient of PyTorch', async () => {
    const { config, weights, tokenizerJson } = await loadGguf(
      bytesSource(await convert(conversion), 'm.gguf'),
    );
    expect(tokenizerJson).toBeDefined();
    const model = makeModel(config, weights);
    const json = JSON.parse(read(`cases/${conversion.model}.json`).toString()) as {
      input_ids: number[][];
      labels: number[][];
      loss: number;
    };
    const golden = await open(`cases/${conversion.model}.safetensors`);
    const values = async (name: string) => Float32Array.from(toFloat32(await golden.read(name), 'F32'));
    const prompt = await values('prompt');
    const length = prompt.length / model.info.width;
    const examples = json.input_ids.map((ids, i): BatchExample => {
      const answer = json.labels[i]!.filter((label) => label >= 0);
      return {
        ids: ids.slice(0, ids.length - answer.length),
        prompt: { first: 0, count: length },
        answers: planAnswers([answer]),
        target: 0,
      };
    });
    const settings = {
      length,
      loss: 'vocabulary',
      optimizer: sgdDefaults,
      clipNorm: 0,
      keepLogits: true,
    } as const;
    const learner = await createOnnxLearner(ort, model, weights, settings, examples, prompt, examples.length);
    const { loss } = await learner.step(
      1,
      examples.map((_, i) => i),
      { scene: false },
    );
    expect(Math.abs(loss / json.loss - 1)).toBeLessThan(1e-5);
    expectClose(await learner.readLogits(), await values('logits'), 1e-4);
    expectClose(await learner.readGradient(), await values('grad_prompt'), 1e-4);
    learner.destroy();
  });

  test('any piece of a tensor is what the whole has there', async () => {
    const { weights } = await loadGguf(bytesSource(await convert(conversion), 'm.gguf'));
    for (const { name, byteLength } of weights.tensors.values()) {
      const whole = await weights.read(name);
      expect(whole.byteLength).toBe(byteLength);
      for (const [offset, length] of [
        [0, 12],
        [4, byteLength],
        [Math.floor(byteLength / 8) * 4, 40],
      ] as const)
        expect(await weights.readPart!(name, offset, length)).toEqual(
          whole.subarray(offset, offset + length),
        );
    }
  });
});

test('a Phi-3 with the divisors for long texts alone is refused', async () => {
  const bytes = await convert(CONVERSIONS[2]!, 'rope_factors_short.weight');
  const { config, weights } = await loadGguf(bytesSource(bytes, 'm.gguf'));
  expect(() => makeModel(config, weights)).toThrow(/short_factor/);
});
