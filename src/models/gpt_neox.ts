import * as v from 'valibot';
import type { Activation } from '../kernels/index.ts';
import { count, firstId, layerCount, maybe, modelType, only, range, readConfig, tokenId } from './config.ts';
import { type DecoderLayer, type Linear, makeDecoder, type Norm } from './decoder.ts';
import { type Checkpoint, collectFrozen } from './frozen.ts';
import type { CausalModel } from './model.ts';
import { takeProjections } from './projections.ts';
import { positionsFor, rotaryEntries, rotaryTable, turnedColumns } from './rotary.ts';

const ACTIVATIONS: Record<string, Activation> = {
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  relu: 'relu',
  silu: 'silu',
};

const entries = {
  model_type: v.literal('gpt_neox'),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: layerCount,
  num_attention_heads: count,
  hidden_act: v.optional(v.string(), 'gelu'),
  max_position_embeddings: v.optional(count, 2048),
  layer_norm_eps: v.optional(v.number(), 1e-5),
  rotary_pct: maybe(v.number()),
  rotary_emb_base: maybe(v.number()),
  ...rotaryEntries,
  use_parallel_residual: v.optional(v.boolean(), true),
  attention_bias: v.optional(v.boolean(), true),
  tie_word_embeddings: v.optional(v.boolean(), false),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: tokenId,
};

export const isGptNeox = (config: unknown): boolean => modelType(config) === 'gpt_neox';

/**
 * GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023), as `GPTNeoXForCausalLM` of transformers computes them: attention
 * and feed-forward side by side, rotary positions on the first columns of a head, q, k, v published head by head.
 * @throws PreludeError as the other families do
 */
export function makeGptNeox(config: unknown, checkpoint: Checkpoint): CausalModel {
  const c = readConfig(entries, config);
  only('hidden_act', c.hidden_act, ...Object.keys(ACTIVATIONS));
  const frozen = collectFrozen(checkpoint);
  const width = c.hidden_size;
  const headDim = width / c.num_attention_heads;
  const norm = (name: string): Norm => ({
    weight: frozen.vector(name, [`${name}.weight`], width),
    bias: frozen.vector(`${name} bias`, [`${name}.bias`], width),
  });
  const linear = (name: string, rows: number, cols: number, biased = true): Linear => ({
    weight: frozen.matrix(name, [`${name}.weight`], rows, cols),
    bias: biased ? frozen.vector(`${name} bias`, [`${name}.bias`], rows) : undefined,
  });
  const embedding = frozen.vocabulary('embedding', 'gpt_neox.embed_in.weight', c.vocab_size, width);
  const rotary = { ...c.rope_scaling, ...c.rope_parameters };
  const positions = positionsFor(c.max_position_embeddings, rotary);
  const share = c.rotary_pct ?? rotary.partial_rotary_factor ?? 0.25;
  const table = rotaryTable(
    frozen,
    'rotary',
    rotary,
    c.rope_parameters?.rope_theta ?? c.rotary_emb_base ?? c.rope_theta ?? 10_000,
    turnedColumns(headDim, share),
    c.max_position_embeddings,
  );
  /** Row of [q; k; v] to row of [heads, 3, headDim]. */
  const rowOrder = (row: number): number => {
    const [part, head, column] = [
      Math.floor(row / width),
      Math.floor((row % width) / headDim),
      row % headDim,
    ];
    return (3 * head + part) * headDim + column;
  };
  const layers = range(c.num_hidden_layers).map((i): DecoderLayer => {
    const name = `gpt_neox.layers.${i}`;
    const attention = `${name}.attention`;
    return {
      norm: norm(`${name}.input_layernorm`),
      projections: takeProjections(
        frozen,
        attention,
        {
          weights: [`${attention}.query_key_value.weight`],
          biases: c.attention_bias ? [`${attention}.query_key_value.bias`] : undefined,
          rowOrder,
        },
        { width, inner: width, kvInner: width },
        i === c.num_hidden_layers - 1,
      ),
      rotary: table,
      windowed: false,
      output: linear(`${attention}.dense`, width, width, c.attention_bias),
      feedForwardNorm: norm(`${name}.post_attention_layernorm`),
      up: linear(`${name}.mlp.dense_h_to_4h`, c.intermediate_size, width),
      down: linear(`${name}.mlp.dense_4h_to_h`, width, c.intermediate_size),
    };
  });
  const eosId = firstId(c.eos_token_id, 0);
  return makeDecoder({
    info: {
      family: 'GPT-NeoX',
      width,
      vocabSize: c.vocab_size,
      heads: c.num_attention_heads,
      layers: [0, c.num_hidden_layers],
      startId: firstId(c.bos_token_id, eosId),
      eosId,
      padId: firstId(c.pad_token_id, eosId),
      eps: c.layer_norm_eps,
      maxPositions: positions,
    },
    frozen,
    kvHeads: c.num_attention_heads,
    headDim,
    scale: headDim ** -0.5,
    embedding,
    layers,
    activation: ACTIVATIONS[c.hidden_act]!,
    gated: false,
    parallel: c.use_parallel_residual,
    finalNorm: norm('gpt_neox.final_layer_norm'),
    head: {
      weight: c.tie_word_embeddings
        ? embedding
        : frozen.vocabulary('embed_out', 'embed_out.weight', c.vocab_size, width),
    },
  });
}
