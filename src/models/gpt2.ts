import * as v from 'valibot';
import { count, firstId, layerCount, maybe, modelType, only, range, readConfig, tokenId } from './config.ts';
import { type DecoderLayer, type Linear, makeDecoder, type Norm } from './decoder.ts';
import { type Checkpoint, collectFrozen } from './frozen.ts';
import type { CausalModel } from './model.ts';
import { takeProjections } from './projections.ts';

const entries = {
  model_type: v.literal('gpt2'),
  vocab_size: count,
  n_embd: count,
  n_head: count,
  n_layer: layerCount,
  n_inner: maybe(count),
  n_positions: v.optional(count, 1024),
  activation_function: v.optional(v.string(), 'gelu_new'),
  layer_norm_epsilon: v.optional(v.number(), 1e-5),
  scale_attn_weights: maybe(v.boolean()),
  scale_attn_by_inverse_layer_idx: maybe(v.boolean()),
  tie_word_embeddings: maybe(v.boolean()),
  /** Matrices are [in, out], as published ones are; false: [out, in], as GGUF files have them. */
  conv1d: v.optional(v.boolean(), true),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: tokenId,
};

export const isGpt2 = (config: unknown): boolean => modelType(config) === 'gpt2';

/**
 * GPT-2 (Radford et al. 2019), as `GPT2LMHeadModel` of transformers computes it: layer norms, learned positions, biases
 * everywhere, weights published [in, out]. The files of the hub leave out the prefix `transformer.`.
 * @throws PreludeError as the other families do
 */
export function makeGpt2(config: unknown, checkpoint: Checkpoint): CausalModel {
  const c = readConfig(entries, config);
  only('activation_function', c.activation_function, 'gelu_new', 'gelu_pytorch_tanh');
  only('scale_attn_weights', c.scale_attn_weights, true);
  only('scale_attn_by_inverse_layer_idx', c.scale_attn_by_inverse_layer_idx, false);
  const frozen = collectFrozen(checkpoint);
  const prefix = frozen.has('wte.weight') ? '' : 'transformer.';
  const width = c.n_embd;
  const feedForward = c.n_inner ?? 4 * width;
  const norm = (name: string): Norm => ({
    weight: frozen.vector(name, [`${name}.weight`], width),
    bias: frozen.vector(`${name} bias`, [`${name}.bias`], width),
  });
  const linear = (name: string, rows: number, cols: number): Linear => ({
    weight: frozen.matrix(name, [`${name}.weight`], rows, cols, { transposed: c.conv1d }),
    bias: frozen.vector(`${name} bias`, [`${name}.bias`], rows),
  });
  const embedding = frozen.vocabulary('embedding', `${prefix}wte.weight`, c.vocab_size, width);
  const positionTable = frozen.matrix('positions', [`${prefix}wpe.weight`], c.n_positions, width, {
    floor: 'stored',
  });
  const layers = range(c.n_layer).map((i): DecoderLayer => {
    const name = `${prefix}h.${i}`;
    return {
      norm: norm(`${name}.ln_1`),
      projections: takeProjections(
        frozen,
        `${name}.attn`,
        {
          weights: [`${name}.attn.c_attn.weight`],
          biases: [`${name}.attn.c_attn.bias`],
          transposed: c.conv1d,
        },
        { width, inner: width, kvInner: width },
        i === c.n_layer - 1,
      ),
      windowed: false,
      output: linear(`${name}.attn.c_proj`, width, width),
      feedForwardNorm: norm(`${name}.ln_2`),
      up: linear(`${name}.mlp.c_fc`, feedForward, width),
      down: linear(`${name}.mlp.c_proj`, width, feedForward),
    };
  });
  const eosId = firstId(c.eos_token_id, 50_256);
  return makeDecoder({
    info: {
      family: 'GPT-2',
      width,
      vocabSize: c.vocab_size,
      heads: c.n_head,
      layers: [0, c.n_layer],
      startId: firstId(c.bos_token_id, eosId),
      eosId,
      padId: firstId(c.pad_token_id, eosId),
      eps: c.layer_norm_epsilon,
      maxPositions: c.n_positions,
    },
    frozen,
    kvHeads: c.n_head,
    headDim: width / c.n_head,
    scale: (width / c.n_head) ** -0.5,
    embedding,
    positionTable,
    layers,
    activation: 'gelu_new',
    gated: false,
    finalNorm: norm(`${prefix}ln_f`),
    head: {
      weight:
        (c.tie_word_embeddings ?? true)
          ? embedding
          : frozen.vocabulary('lm_head', 'lm_head.weight', c.vocab_size, width),
    },
  });
}
