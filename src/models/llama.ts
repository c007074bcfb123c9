import * as v from 'valibot';
import { count, firstId, layerCount, maybe, modelType, only, range, readConfig, tokenId } from './config.ts';
import { type DecoderLayer, type HeadNorm, makeDecoder, type Norm } from './decoder.ts';
import { type Checkpoint, collectFrozen, type Frozen } from './frozen.ts';
import type { CausalModel } from './model.ts';
import { type AttentionWidths, takeProjections } from './projections.ts';
import { positionsFor, rotaryEntries, rotaryTable, turnedColumns } from './rotary.ts';

/**
 * Llama (Touvron et al. 2023) and the families that differ from it in a few lines: pre-norm blocks with RMS norms, rotary
 * positions, grouped key heads and a gated feed-forward, as `<Family>ForCausalLM` of transformers computes them.
 */
const VARIANTS = {
  llama: { family: 'Llama' },
  mistral: { family: 'Mistral', window: true },
  /** Biases on q, k and v. */
  qwen2: { family: 'Qwen2', qkvBias: true },
  /** RMS norm of each query and key head before the rotation. */
  qwen3: { family: 'Qwen3', headNorm: 'each' },
  /** No norm before a branch but one after it; norms over all queries and all keys. */
  olmo2: { family: 'OLMo 2', headNorm: 'all', postNorm: true },
  /** q, k, v published as one matrix, gate and up as one. */
  phi3: { family: 'Phi-3', fused: true, window: true },
} as const satisfies Record<string, Variant>;

interface Variant {
  family: string;
  qkvBias?: boolean;
  headNorm?: 'each' | 'all';
  postNorm?: boolean;
  fused?: boolean;
  /** Where the config names a sliding window, all layers have it. */
  window?: boolean;
}

const entries = {
  model_type: v.picklist(Object.keys(VARIANTS) as (keyof typeof VARIANTS)[]),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: layerCount,
  num_attention_heads: count,
  num_key_value_heads: maybe(count),
  head_dim: maybe(count),
  hidden_act: v.optional(v.string(), 'silu'),
  max_position_embeddings: v.optional(count, 2048),
  rms_norm_eps: v.number(),
  ...rotaryEntries,
  partial_rotary_factor: maybe(v.number()),
  /** Phi-3: the length up to which its long rotary tables are not used. */
  original_max_position_embeddings: maybe(count),
  attention_bias: maybe(v.boolean()),
  mlp_bias: maybe(v.boolean()),
  sliding_window: maybe(v.number()),
  use_mrope: maybe(v.boolean()),
  use_sliding_window: maybe(v.boolean()),
  max_window_layers: maybe(v.number()),
  layer_types: maybe(v.array(v.string())),
  tie_word_embeddings: maybe(v.boolean()),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: tokenId,
};
type LlamaConfig = v.InferOutput<v.ObjectSchema<typeof entries, undefined>>;

export const isLlama = (config: unknown): boolean =>
  Object.keys(VARIANTS).some((type) => type === modelType(config));

/**
 * @throws PreludeError `bad-config` for a value that is missing or off, `unsupported-model` for arithmetic we do not have,
 * `bad-weights` for a tensor that is missing or has another shape.
 */
export function makeLlama(config: unknown, checkpoint: Checkpoint): CausalModel {
  const c = readConfig(entries, config);
  const variant: Variant = VARIANTS[c.model_type];
  only('hidden_act', c.hidden_act, 'silu', 'swish');
  only('mlp_bias', c.mlp_bias, false);
  only('use_mrope', c.use_mrope, false);
  const frozen = collectFrozen(checkpoint);
  const width = c.hidden_size;
  const kvHeads = c.num_key_value_heads ?? c.num_attention_heads;
  const headDim = c.head_dim ?? Math.floor(width / c.num_attention_heads);
  const widths = { width, inner: c.num_attention_heads * headDim, kvInner: kvHeads * headDim };
  const windowed = windowsOf(c, variant);

  const embedding = frozen.vocabulary('embedding', 'model.embed_tokens.weight', c.vocab_size, width);
  const rotary = {
    // Phi-3 has it beside its scaling.
    ...(c.original_max_position_embeddings && {
      original_max_position_embeddings: c.original_max_position_embeddings,
    }),
    ...c.rope_scaling,
    ...c.rope_parameters,
  };
  const turned = turnedColumns(headDim, c.partial_rotary_factor ?? rotary.partial_rotary_factor ?? 1);
  const positions = positionsFor(c.max_position_embeddings, rotary);
  const table = rotaryTable(
    frozen,
    'rotary',
    rotary,
    c.rope_parameters?.rope_theta ?? c.rope_theta ?? 10_000,
    turned,
    c.max_position_embeddings,
  );
  const norm = (name: string): Norm => ({ weight: frozen.vector(name, [`${name}.weight`], width) });
  const layers = range(c.num_hidden_layers).map((i): DecoderLayer => {
    const name = `model.layers.${i}`;
    const isLast = i === c.num_hidden_layers - 1;
    const attention = `${name}.self_attn`;
    const biased = variant.qkvBias || c.attention_bias;
    const projections = takeProjections(
      frozen,
      attention,
      {
        weights: variant.fused
          ? [`${attention}.qkv_proj.weight`]
          : [`${attention}.q_proj.weight`, `${attention}.k_proj.weight`, `${attention}.v_proj.weight`],
        biases: biased ? ['q', 'k', 'v'].map((part) => `${attention}.${part}_proj.bias`) : undefined,
      },
      widths,
      isLast,
    );
    const bias =
      c.attention_bias && c.model_type !== 'qwen2'
        ? frozen.vector(`${attention}.o bias`, [`${attention}.o_proj.bias`], width)
        : undefined;
    return {
      norm: variant.postNorm ? undefined : norm(`${name}.input_layernorm`),
      projections,
      queryKeyNorm:
        variant.headNorm && queryKeyNorm(frozen, attention, variant.headNorm, headDim, widths, isLast),
      rotary: table,
      windowed: windowed(i),
      output: {
        weight: frozen.matrix(`${attention}.o`, [`${attention}.o_proj.weight`], width, widths.inner),
        bias,
      },
      outputNorm: variant.postNorm ? norm(`${name}.post_attention_layernorm`) : undefined,
      feedForwardNorm: variant.postNorm ? undefined : norm(`${name}.post_attention_layernorm`),
      ...gatedFeedForward(frozen, `${name}.mlp`, width, c.intermediate_size, variant.fused),
      feedForwardOutputNorm: variant.postNorm ? norm(`${name}.post_feedforward_layernorm`) : undefined,
    };
  });
  const finalNorm = norm('model.norm');
  const tied = c.tie_word_embeddings ?? false;
  const head = {
    weight: tied ? embedding : frozen.vocabulary('lm_head', 'lm_head.weight', c.vocab_size, width),
  };
  const eosId = firstId(c.eos_token_id, 2);
  return makeDecoder({
    info: {
      family: variant.family,
      width,
      vocabSize: c.vocab_size,
      heads: c.num_attention_heads,
      layers: [0, c.num_hidden_layers],
      startId: firstId(c.bos_token_id, 1),
      eosId,
      padId: firstId(c.pad_token_id, eosId),
      eps: c.rms_norm_eps,
      maxPositions: positions,
    },
    frozen,
    kvHeads,
    headDim,
    scale: headDim ** -0.5,
    embedding,
    layers,
    activation: 'silu',
    gated: true,
    window: c.sliding_window ?? undefined,
    finalNorm,
    head,
  });
}

/** Which layers have a sliding window. */
function windowsOf(c: LlamaConfig, variant: Variant): (layer: number) => boolean {
  const { layer_types: types, sliding_window: window } = c;
  if (types) {
    for (const type of types) only('layer_types', type, 'full_attention', 'sliding_attention');
    return (layer) => types[layer] === 'sliding_attention';
  }
  if (!window) return () => false;
  if (variant.window) return () => true;
  return (layer) => c.use_sliding_window === true && layer >= (c.max_window_layers ?? 0);
}

/** gate and up as one matrix [2 f, d], and down. */
export function gatedFeedForward(
  frozen: Frozen,
  name: string,
  width: number,
  inner: number,
  fused = false,
): Pick<DecoderLayer, 'up' | 'down'> {
  const parts = fused ? ['gate_up_proj'] : ['gate_proj', 'up_proj'];
  return {
    up: {
      weight: frozen.matrix(
        `${name}.up`,
        parts.map((part) => `${name}.${part}.weight`),
        2 * inner,
        width,
      ),
    },
    down: { weight: frozen.matrix(`${name}.down`, [`${name}.down_proj.weight`], width, inner) },
  };
}

/**
 * Norms of queries and keys over the columns they come in: q and k side by side, each alone in the last layer.
 * @param offset added to the published weight (Gemma: 1)
 */
export function queryKeyNorm(
  frozen: Frozen,
  attention: string,
  of: 'each' | 'all',
  headDim: number,
  { inner, kvInner }: AttentionWidths,
  isLast: boolean,
  offset = 0,
): DecoderLayer['queryKeyNorm'] {
  const [queryWidth, keyWidth] = of === 'each' ? [headDim, headDim] : [inner, kvInner];
  const [queries, keys] = [inner / queryWidth, kvInner / keyWidth];
  const [q, k] = [`${attention}.q_norm.weight`, `${attention}.k_norm.weight`];
  const repeat = (values: Float32Array, from: number, size: number, times: number): number[] =>
    range(times).flatMap(() => [...values.subarray(from, from + size)].map((value) => value + offset));
  const take = (
    name: string,
    parts: string[],
    sizes: number[],
    times: number[],
    groups: HeadNorm['groups'],
  ): HeadNorm => ({
    weight: frozen.vector(
      `${attention}.${name}`,
      parts,
      sizes.reduce((sum, size, i) => sum + size * times[i]!, 0),
      {
        published: sizes.reduce((sum, size) => sum + size, 0),
        expand: (values) =>
          Float32Array.from(
            sizes.flatMap((size, i) => repeat(values, i === 0 ? 0 : sizes[0]!, size, times[i]!)),
          ),
      },
    ),
    groups,
  });
  if (!isLast)
    return {
      both: take('q and k norm', [q, k], [queryWidth, keyWidth], [queries, keys], {
        first: queries,
        firstWidth: queryWidth,
        second: keys,
        secondWidth: keyWidth,
      }),
    };
  const alone = (first: number, firstWidth: number) => ({
    first,
    firstWidth,
    second: 0,
    secondWidth: firstWidth,
  });
  return {
    query: take('q norm', [q], [queryWidth], [queries], alone(queries, queryWidth)),
    key: take('k norm', [k], [keyWidth], [keys], alone(keys, keyWidth)),
  };
}
