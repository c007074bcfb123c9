import * as v from 'valibot';
import { count, firstId, layerCount, maybe, modelType, only, range, readConfig, tokenId } from './config.ts';
import { type DecoderLayer, makeDecoder, type Norm } from './decoder.ts';
import { type Checkpoint, collectFrozen } from './frozen.ts';
import { gatedFeedForward, queryKeyNorm } from './llama.ts';
import type { CausalModel } from './model.ts';
import { takeProjections } from './projections.ts';
import { positionsFor, type Rotary, rotarySchema, rotaryTable } from './rotary.ts';

/** One set of rotary parameters, or one for each type of layer (transformers 5). */
const perLayerType = v.object({ full_attention: rotarySchema, sliding_attention: rotarySchema });

const entries = {
  model_type: v.picklist(['gemma2', 'gemma3_text']),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: layerCount,
  num_attention_heads: count,
  num_key_value_heads: count,
  head_dim: v.optional(count, 256),
  hidden_activation: maybe(v.string()),
  /** Gemma 2's files have both; the other one counts. */
  hidden_act: maybe(v.string()),
  max_position_embeddings: v.optional(count, 8192),
  rms_norm_eps: v.optional(v.number(), 1e-6),
  query_pre_attn_scalar: v.optional(v.number(), 256),
  sliding_window: v.optional(count, 4096),
  sliding_window_pattern: maybe(count),
  layer_types: maybe(v.array(v.string())),
  rope_theta: maybe(v.number()),
  rope_local_base_freq: maybe(v.number()),
  rope_scaling: maybe(rotarySchema),
  rope_parameters: maybe(v.union([perLayerType, rotarySchema])),
  attention_bias: maybe(v.boolean()),
  attn_logit_softcapping: maybe(v.number()),
  final_logit_softcapping: maybe(v.number()),
  use_bidirectional_attention: maybe(v.boolean()),
  tie_word_embeddings: v.optional(v.boolean(), true),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: tokenId,
};
type GemmaConfig = v.InferOutput<v.ObjectSchema<typeof entries, undefined>>;

export const isGemma = (config: unknown): boolean =>
  entries.model_type.options.some((type) => type === modelType(config));

/**
 * Gemma 2 and Gemma 3, text only (Gemma team 2024, 2025), as `Gemma2ForCausalLM` and `Gemma3ForCausalLM` of transformers compute
 * them: norms before and after each branch with a scale of 1 + weight, vocabulary rows times sqrt(d), layers with a sliding window
 * between layers that see everything. Gemma 2 caps scores and logits; Gemma 3 has norms of queries and keys instead, and a rotary
 * base of its own in the windowed layers.
 * @throws PreludeError as the other families do
 */
export function makeGemma(config: unknown, checkpoint: Checkpoint): CausalModel {
  const c = readConfig(entries, config);
  only('hidden_activation', c.hidden_activation, 'gelu_pytorch_tanh', 'gelu_new');
  only('attention_bias', c.attention_bias, false);
  only('use_bidirectional_attention', c.use_bidirectional_attention, false);
  const second = c.model_type === 'gemma2';
  const caps = {
    scoreCap: capOf(c.attn_logit_softcapping, second ? 50 : undefined),
    logitCap: capOf(c.final_logit_softcapping, second ? 30 : undefined),
  };
  const frozen = collectFrozen(checkpoint);
  const width = c.hidden_size;
  const headDim = c.head_dim;
  const widths = {
    width,
    inner: c.num_attention_heads * headDim,
    kvInner: c.num_key_value_heads * headDim,
  };
  const isSliding = slidingOf(c);
  const embedding = frozen.vocabulary('embedding', 'model.embed_tokens.weight', c.vocab_size, width);
  const { full, sliding } = rotariesOf(c);
  const published = c.max_position_embeddings;
  const positions = Math.min(positionsFor(published, full), positionsFor(published, sliding));
  const tables = {
    full: rotaryTable(frozen, 'rotary', full, full.rope_theta ?? 1e6, headDim, published),
    sliding: rotaryTable(frozen, 'local rotary', sliding, sliding.rope_theta ?? 1e4, headDim, published),
  };
  const norm = (name: string): Norm => ({
    weight: frozen.vector(name, [`${name}.weight`], width, {
      expand: (values) => Float32Array.from(values, (value) => 1 + value),
    }),
  });
  const layers = range(c.num_hidden_layers).map((i): DecoderLayer => {
    const name = `model.layers.${i}`;
    const isLast = i === c.num_hidden_layers - 1;
    const attention = `${name}.self_attn`;
    return {
      norm: norm(`${name}.input_layernorm`),
      projections: takeProjections(
        frozen,
        attention,
        {
          weights: [`${attention}.q_proj.weight`, `${attention}.k_proj.weight`, `${attention}.v_proj.weight`],
        },
        widths,
        isLast,
      ),
      queryKeyNorm: second ? undefined : queryKeyNorm(frozen, attention, 'each', headDim, widths, isLast, 1),
      rotary: isSliding(i) ? tables.sliding : tables.full,
      windowed: isSliding(i),
      output: {
        weight: frozen.matrix(`${attention}.o`, [`${attention}.o_proj.weight`], width, widths.inner),
      },
      outputNorm: norm(`${name}.post_attention_layernorm`),
      feedForwardNorm: norm(`${name}.pre_feedforward_layernorm`),
      ...gatedFeedForward(frozen, `${name}.mlp`, width, c.intermediate_size),
      feedForwardOutputNorm: norm(`${name}.post_feedforward_layernorm`),
    };
  });
  const finalNorm = norm('model.norm');
  return makeDecoder({
    info: {
      family: second ? 'Gemma 2' : 'Gemma 3',
      width,
      vocabSize: c.vocab_size,
      heads: c.num_attention_heads,
      layers: [0, c.num_hidden_layers],
      startId: firstId(c.bos_token_id, 2),
      eosId: firstId(c.eos_token_id, 1),
      padId: firstId(c.pad_token_id, 0),
      eps: c.rms_norm_eps,
      maxPositions: positions,
    },
    frozen,
    kvHeads: c.num_key_value_heads,
    headDim,
    scale: c.query_pre_attn_scalar ** -0.5,
    ...caps,
    embedding,
    // transformers rounds the factor to the dtype of the embeddings, here float32.
    embeddingScale: Math.fround(Math.sqrt(width)),
    layers,
    activation: 'gelu_new',
    gated: true,
    window: c.sliding_window,
    finalNorm,
    head: {
      weight: c.tie_word_embeddings
        ? embedding
        : frozen.vocabulary('lm_head', 'lm_head.weight', c.vocab_size, width),
    },
  });
}

/** Null is no cap; what is missing is the family's own. */
const capOf = (given: number | null | undefined, usual: number | undefined): number | undefined =>
  given === undefined ? usual : (given ?? undefined);

/** The published pattern: every second or sixth layer sees everything. */
function slidingOf(c: GemmaConfig): (layer: number) => boolean {
  const types = c.layer_types;
  if (types) {
    for (const one of types) only('layer_types', one, 'full_attention', 'sliding_attention');
    return (layer) => types[layer] === 'sliding_attention';
  }
  return (layer) => (layer + 1) % (c.sliding_window_pattern ?? (c.model_type === 'gemma2' ? 2 : 6)) !== 0;
}

/** Rotary parameters of the layers that see everything, and of those with a window. */
function rotariesOf(c: GemmaConfig): { full: Rotary; sliding: Rotary } {
  const given = c.rope_parameters;
  const perType = v.safeParse(perLayerType, given);
  if (perType.success)
    return { full: perType.output.full_attention, sliding: perType.output.sliding_attention };
  // Scaling concerns the layers that see everything.
  const second = c.model_type === 'gemma2';
  const full = {
    rope_theta: c.rope_theta ?? (second ? 1e4 : 1e6),
    ...c.rope_scaling,
    ...(given as Rotary | undefined),
  };
  if (second) return { full, sliding: full };
  return { full, sliding: { rope_theta: c.rope_local_base_freq ?? 1e4 } };
}
