import * as v from 'valibot';
import type { Activation } from '../kernels/index.ts';
import { count, firstId, layerCount, maybe, modelType, only, range, readConfig, tokenId } from './config.ts';
import { type DecoderLayer, type Linear, makeDecoder, type Norm } from './decoder.ts';
import { type Checkpoint, collectFrozen } from './frozen.ts';
import type { CausalModel } from './model.ts';
import { takeProjections } from './projections.ts';

const ACTIVATIONS: Record<string, Activation> = { relu: 'relu', gelu: 'gelu' };

/** Published positions start here. */
const POSITION_OFFSET = 2;

const entries = {
  model_type: v.literal('opt'),
  vocab_size: count,
  hidden_size: count,
  ffn_dim: count,
  num_hidden_layers: layerCount,
  num_attention_heads: count,
  activation_function: v.optional(v.string(), 'relu'),
  max_position_embeddings: v.optional(count, 2048),
  word_embed_proj_dim: maybe(count),
  do_layer_norm_before: v.optional(v.boolean(), true),
  _remove_final_layer_norm: maybe(v.boolean()),
  enable_bias: maybe(v.boolean()),
  layer_norm_elementwise_affine: maybe(v.boolean()),
  tie_word_embeddings: v.optional(v.boolean(), true),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: tokenId,
};

export const isOpt = (config: unknown): boolean => modelType(config) === 'opt';

/**
 * OPT (Zhang et al. 2022), as `OPTForCausalLM` of transformers computes it: layer norms before each branch, learned positions,
 * biases everywhere. The form of the 350M model (norms after, a narrower embedding) is refused.
 * @throws PreludeError as the other families do
 */
export function makeOpt(config: unknown, checkpoint: Checkpoint): CausalModel {
  const c = readConfig(entries, config);
  only('activation_function', c.activation_function, ...Object.keys(ACTIVATIONS));
  only('do_layer_norm_before', c.do_layer_norm_before, true);
  only('word_embed_proj_dim', c.word_embed_proj_dim, c.hidden_size);
  only('_remove_final_layer_norm', c._remove_final_layer_norm, false);
  only('enable_bias', c.enable_bias, true);
  only('layer_norm_elementwise_affine', c.layer_norm_elementwise_affine, true);
  const frozen = collectFrozen(checkpoint);
  const root = frozen.has('decoder.embed_tokens.weight') ? 'decoder' : 'model.decoder';
  const width = c.hidden_size;
  const norm = (name: string): Norm => ({
    weight: frozen.vector(name, [`${name}.weight`], width),
    bias: frozen.vector(`${name} bias`, [`${name}.bias`], width),
  });
  const linear = (name: string, rows: number, cols: number): Linear => ({
    weight: frozen.matrix(name, [`${name}.weight`], rows, cols),
    bias: frozen.vector(`${name} bias`, [`${name}.bias`], rows),
  });
  const embedding = frozen.vocabulary('embedding', `${root}.embed_tokens.weight`, c.vocab_size, width);
  const positionTable = frozen.matrix(
    'positions',
    [`${root}.embed_positions.weight`],
    c.max_position_embeddings,
    width,
    {
      rowOrder: (row) => row + POSITION_OFFSET,
      published: c.max_position_embeddings + POSITION_OFFSET,
      floor: 'stored',
    },
  );
  const layers = range(c.num_hidden_layers).map((i): DecoderLayer => {
    const name = `${root}.layers.${i}`;
    const attention = `${name}.self_attn`;
    return {
      norm: norm(`${name}.self_attn_layer_norm`),
      projections: takeProjections(
        frozen,
        attention,
        {
          weights: [`${attention}.q_proj.weight`, `${attention}.k_proj.weight`, `${attention}.v_proj.weight`],
          biases: [`${attention}.q_proj.bias`, `${attention}.k_proj.bias`, `${attention}.v_proj.bias`],
        },
        { width, inner: width, kvInner: width },
        i === c.num_hidden_layers - 1,
      ),
      windowed: false,
      output: linear(`${attention}.out_proj`, width, width),
      feedForwardNorm: norm(`${name}.final_layer_norm`),
      up: linear(`${name}.fc1`, c.ffn_dim, width),
      down: linear(`${name}.fc2`, width, c.ffn_dim),
    };
  });
  const headDim = width / c.num_attention_heads;
  return makeDecoder({
    info: {
      family: 'OPT',
      width,
      vocabSize: c.vocab_size,
      heads: c.num_attention_heads,
      layers: [0, c.num_hidden_layers],
      startId: firstId(c.bos_token_id, 2),
      eosId: firstId(c.eos_token_id, 2),
      padId: firstId(c.pad_token_id, 1),
      eps: 1e-5,
      maxPositions: c.max_position_embeddings,
    },
    frozen,
    kvHeads: c.num_attention_heads,
    headDim,
    scale: headDim ** -0.5,
    embedding,
    positionTable,
    layers,
    activation: ACTIVATIONS[c.activation_function]!,
    gated: false,
    finalNorm: norm(`${root}.final_layer_norm`),
    head: {
      weight: c.tie_word_embeddings
        ? embedding
        : frozen.vocabulary('lm_head', 'lm_head.weight', c.vocab_size, width),
    },
  });
}
