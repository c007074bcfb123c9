/** What llama.cpp's conversion makes of a published model, by `general.architecture`: names, metadata and the order of rows. */

/** What the metadata say of an architecture: `${architecture}.${path}`. */
export interface Metadata {
  /** @throws PreludeError `unsupported-model` where there is no such number and no other value is given */
  number(path: string, otherwise?: number): number;
  /** @throws PreludeError `unsupported-model` where there is no such truth value and no other is given */
  flag(path: string): boolean;
  /** Whether the file has a tensor of this name. */
  has(tensor: string): boolean;
  /** Rows of the tensor `token_embd.weight`. */
  vocabSize: number;
  heads: number;
  headDim: number;
}

/** Where the rows of a published matrix lie in the file; they move within groups of a head's rows, or groups as wholes. */
export interface RowOrder {
  /** Names of published tensors that are so ordered. */
  of: RegExp;
  /** Stored group of a published one; absent: groups stay. */
  group?(published: number, groups: number): number;
  /** Stored row of a published one within its group of `size` rows. */
  row(published: number, size: number): number;
}

export interface Architecture {
  rowOrder?: RowOrder;
  /** Norms are stored as 1 + weight (the conversion of Gemma). */
  wholeNorms?: boolean;
  /** What stands before the number of a layer. */
  layers: string;
  /** GGUF's names to Hugging Face's, outside and inside of a layer. */
  names: Readonly<Record<string, string>>;
  /** Keys that it has besides those that all have. */
  keys: readonly string[];
  /** The published config. */
  config(metadata: Metadata): Readonly<Record<string, unknown>>;
}

/** Keys that all of them may have. Another may change the arithmetic, so it is refused by name. */
export const SHARED_KEYS: ReadonlySet<string> = new Set(
  `vocab_size context_length embedding_length block_count feed_forward_length tensor_data_layout expert_count expert_used_count
  attention.head_count attention.head_count_kv attention.key_length attention.value_length rope.freq_base rope.dimension_count
  rope.scaling.type rope.scaling.factor rope.scaling.original_context_length rope.scaling.finetuned`.split(
    /\s+/,
  ),
);

// ------------------------------------------------------- the Llama family

const LLAMA_NAMES = {
  rope_freqs: 'rope_freqs',
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** Norms before and after each branch. */
const POST_NORMS = {
  post_attention_norm: 'post_attention_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
};

/** Query and key rows of a head are stored as neighbouring pairs, 2i + h, of halves, h D/2 + i (the conversion of Llama). */
export const PAIRS: RowOrder = {
  of: /\.self_attn\.[qk]_proj\./,
  row: (row, size) => 2 * (row % (size / 2)) + Math.floor(row / (size / 2)),
};

const llamaConfig = (modelType: string, { number, has, heads, headDim, vocabSize }: Metadata) => ({
  model_type: modelType,
  vocab_size: vocabSize,
  hidden_size: number('embedding_length'),
  intermediate_size: number('feed_forward_length'),
  num_hidden_layers: number('block_count'),
  num_attention_heads: heads,
  num_key_value_heads: number('attention.head_count_kv', heads),
  head_dim: headDim,
  max_position_embeddings: number('context_length'),
  rms_norm_eps: number('attention.layer_norm_rms_epsilon'),
  rope_theta: number('rope.freq_base', 10_000),
  tie_word_embeddings: !has('output.weight'),
});

const partlyTurned = ({ number, headDim }: Metadata) => ({
  hidden_act: 'silu',
  partial_rotary_factor: number('rope.dimension_count', headDim) / headDim,
});

/** An architecture of the Llama family. */
const decoder = (
  modelType: string,
  more: Partial<Omit<Architecture, 'config'>> = {},
  config: Architecture['config'] = partlyTurned,
): Architecture => ({
  ...more,
  layers: 'model.layers',
  names: { ...LLAMA_NAMES, ...more.names },
  keys: ['attention.layer_norm_rms_epsilon', ...(more.keys ?? [])],
  config: (metadata) => ({ ...llamaConfig(modelType, metadata), ...config(metadata) }),
});

/** Gemma's largest models have another factor of the scores, which llama.cpp too knows by their layers only. */
const gemma = (largest: number, { number, heads, headDim }: Metadata) => ({
  hidden_activation: 'gelu_pytorch_tanh',
  query_pre_attn_scalar: number('block_count') === largest ? number('embedding_length') / heads : headDim,
  sliding_window: number('attention.sliding_window'),
});

/** Phi-3's longrope: divisors of the frequencies are tensors, those for texts up to the original length and those beyond. */
const longrope = ({ number, has }: Metadata) =>
  has('rope_factors_short.weight') || has('rope_factors_long.weight')
    ? {
        rope_scaling: {
          rope_type: 'longrope',
          original_max_position_embeddings: number('rope.scaling.original_context_length'),
          attention_factor: number('rope.scaling.attn_factor', 1),
        },
      }
    : {};

// ------------------------------------------------------- with layer norms

/** GPT-NeoX-20B alone has the approximation by tanh, which a file does not say: it is known by its layers. */
const NEOX_20B_LAYERS = 44;

const EPSILON = 'attention.layer_norm_epsilon';

export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  llama: decoder('llama', { rowOrder: PAIRS }),
  qwen2: decoder('qwen2'),
  qwen3: decoder('qwen3'),
  olmo2: decoder('olmo2', { names: POST_NORMS }),
  phi3: decoder(
    'phi3',
    {
      names: {
        attn_qkv: 'self_attn.qkv_proj',
        ffn_up: 'mlp.gate_up_proj',
        rope_factors_short: 'rope_freqs',
        rope_factors_long: 'rope_factors_long',
      },
      keys: ['attention.sliding_window', 'rope.scaling.attn_factor'],
    },
    (metadata) => ({
      ...partlyTurned(metadata),
      ...longrope(metadata),
      // 0 where the config has none.
      sliding_window: metadata.number('attention.sliding_window', 0) || null,
    }),
  ),
  gemma2: decoder(
    'gemma2',
    {
      wholeNorms: true,
      names: { ...POST_NORMS, ffn_norm: 'pre_feedforward_layernorm' },
      keys: ['attention.sliding_window', 'attn_logit_softcapping', 'final_logit_softcapping'],
    },
    (metadata) => ({
      ...gemma(46, metadata),
      attn_logit_softcapping: metadata.number('attn_logit_softcapping', 50),
      final_logit_softcapping: metadata.number('final_logit_softcapping', 30),
    }),
  ),
  gemma3: decoder(
    'gemma3_text',
    {
      wholeNorms: true,
      names: { ...POST_NORMS, ffn_norm: 'pre_feedforward_layernorm' },
      keys: ['attention.sliding_window', 'rope.freq_base_swa'],
    },
    (metadata) => ({
      ...gemma(62, metadata),
      rope_local_base_freq: metadata.number('rope.freq_base_swa', 10_000),
    }),
  ),
  /** Its matrices are turned round: [out, in] as everywhere else. */
  gpt2: {
    layers: 'h',
    names: {
      token_embd: 'wte',
      position_embd: 'wpe',
      output_norm: 'ln_f',
      output: 'lm_head',
      attn_norm: 'ln_1',
      attn_qkv: 'attn.c_attn',
      attn_output: 'attn.c_proj',
      ffn_norm: 'ln_2',
      ffn_up: 'mlp.c_fc',
      ffn_down: 'mlp.c_proj',
    },
    keys: [EPSILON],
    config: ({ number, has, heads, vocabSize }) => ({
      model_type: 'gpt2',
      vocab_size: vocabSize,
      n_embd: number('embedding_length'),
      n_inner: number('feed_forward_length'),
      n_layer: number('block_count'),
      n_head: heads,
      n_positions: number('context_length'),
      layer_norm_epsilon: number(EPSILON),
      tie_word_embeddings: !has('output.weight'),
      conv1d: false,
    }),
  },
  /** Queries, keys and values are stored one after another, published head by head. */
  gptneox: {
    rowOrder: {
      of: /\.query_key_value\./,
      group: (published, groups) => (published % 3) * (groups / 3) + Math.floor(published / 3),
      row: (row) => row,
    },
    layers: 'gpt_neox.layers',
    names: {
      token_embd: 'gpt_neox.embed_in',
      output_norm: 'gpt_neox.final_layer_norm',
      output: 'embed_out',
      attn_norm: 'input_layernorm',
      attn_qkv: 'attention.query_key_value',
      attn_output: 'attention.dense',
      ffn_norm: 'post_attention_layernorm',
      ffn_up: 'mlp.dense_h_to_4h',
      ffn_down: 'mlp.dense_4h_to_h',
    },
    keys: [EPSILON, 'use_parallel_residual'],
    config: ({ number, flag, has, heads, headDim, vocabSize }) => ({
      model_type: 'gpt_neox',
      vocab_size: vocabSize,
      hidden_size: number('embedding_length'),
      intermediate_size: number('feed_forward_length'),
      num_hidden_layers: number('block_count'),
      num_attention_heads: heads,
      hidden_act: number('block_count') === NEOX_20B_LAYERS ? 'gelu_new' : 'gelu',
      max_position_embeddings: number('context_length'),
      layer_norm_eps: number(EPSILON),
      rotary_pct: number('rope.dimension_count', headDim) / headDim,
      rotary_emb_base: number('rope.freq_base', 10_000),
      use_parallel_residual: flag('use_parallel_residual'),
      tie_word_embeddings: !has('output.weight'),
    }),
  },
};
