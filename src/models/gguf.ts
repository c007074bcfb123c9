import { PreludeError } from '../errors.ts';
import { ggufTokenizer } from '../text/index.ts';
import {
  type ByteSource,
  fingerprintOf,
  type LoadedModel,
  openGguf,
  readPart,
  type TensorInfo,
  type WeightFile,
} from '../weights/index.ts';

/** What the metadata say of an architecture: `${architecture}.${path}`. */
interface Metadata {
  /** @throws PreludeError `unsupported-model` where there is no such number and no other value is given */
  number(path: string, otherwise?: number): number;
  heads: number;
  headDim: number;
}

interface Architecture {
  modelType: string;
  /** Query and key rows of a head are stored as neighbouring pairs (llama.cpp's conversion of the Llama family). */
  pairedRows?: boolean;
  /** Norms are stored as 1 + weight (llama.cpp's conversion of Gemma). */
  wholeNorms?: boolean;
  /** Names that differ from those of the Llama family. */
  names?: Readonly<Record<string, string>>;
  /** Keys that it has besides the usual ones. */
  keys?: readonly string[];
  /** What the published config would say besides the shared keys. */
  config(metadata: Metadata): Readonly<Record<string, unknown>>;
}

const partlyTurned = ({ number, headDim }: Metadata) => ({
  hidden_act: 'silu',
  partial_rotary_factor: number('rope.dimension_count', headDim) / headDim,
});

/** Norms before and after each branch. */
const POST_NORMS = {
  post_attention_norm: 'post_attention_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
};

/** Gemma's largest models have another factor of the scores, which llama.cpp too knows by their layers only. */
const gemma =
  (largest: number) =>
  ({ number, heads, headDim }: Metadata) => ({
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: number('block_count') === largest ? number('embedding_length') / heads : headDim,
    sliding_window: number('attention.sliding_window'),
  });

/** By `general.architecture`. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  llama: { modelType: 'llama', pairedRows: true, config: partlyTurned },
  qwen2: { modelType: 'qwen2', config: partlyTurned },
  qwen3: { modelType: 'qwen3', config: partlyTurned },
  olmo2: { modelType: 'olmo2', names: POST_NORMS, config: partlyTurned },
  phi3: {
    modelType: 'phi3',
    names: { attn_qkv: 'self_attn.qkv_proj', ffn_up: 'mlp.gate_up_proj' },
    keys: ['attention.sliding_window'],
    config: (metadata) => ({
      ...partlyTurned(metadata),
      // 0 where the config has none.
      sliding_window: metadata.number('attention.sliding_window', 0) || null,
    }),
  },
  gemma2: {
    modelType: 'gemma2',
    wholeNorms: true,
    names: { ...POST_NORMS, ffn_norm: 'pre_feedforward_layernorm' },
    keys: ['attention.sliding_window', 'attn_logit_softcapping', 'final_logit_softcapping'],
    config: (metadata) => ({
      ...gemma(46)(metadata),
      attn_logit_softcapping: metadata.number('attn_logit_softcapping', 50),
      final_logit_softcapping: metadata.number('final_logit_softcapping', 30),
    }),
  },
  gemma3: {
    modelType: 'gemma3_text',
    wholeNorms: true,
    names: { ...POST_NORMS, ffn_norm: 'pre_feedforward_layernorm' },
    keys: ['attention.sliding_window', 'rope.freq_base_swa'],
    config: (metadata) => ({
      ...gemma(62)(metadata),
      rope_local_base_freq: metadata.number('rope.freq_base_swa', 10_000),
    }),
  },
};

/** Keys that all of them may have. Another may change the arithmetic, so it is refused by name. */
const KEYS = new Set(
  `vocab_size context_length embedding_length block_count feed_forward_length tensor_data_layout expert_count expert_used_count
  attention.head_count attention.head_count_kv attention.key_length attention.value_length
  attention.layer_norm_rms_epsilon rope.freq_base rope.dimension_count rope.scaling.type rope.scaling.factor
  rope.scaling.original_context_length rope.scaling.finetuned`.split(/\s+/),
);

/** Names outside and inside of a layer, GGUF's to Hugging Face's. */
const NAMES: Readonly<Record<string, string>> = {
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

/**
 * A GGUF file as a model folder would publish it: the config that its metadata say, and its tensors under the names and in the row
 * order of Hugging Face, still quantised as they are stored.
 * @throws PreludeError `unsupported-model` for another architecture or a tensor, a key or a rotary scaling that is not known
 */
export function fromGguf(file: WeightFile): { config: Record<string, unknown>; weights: WeightFile } {
  const name = String(file.metadata['general.architecture']);
  const architecture = ARCHITECTURES[name];
  const refuse = (message: string) =>
    new PreludeError('unsupported-model', `${file.name}: ${message}`, {
      where: file.name,
      remedy: `GGUF files of these architectures open: ${Object.keys(ARCHITECTURES).join(', ')}.`,
    });
  if (!architecture) throw refuse(`architecture "${name}" is not known here.`);
  const key = (path: string) => file.metadata[`${name}.${path}`];
  const number = (path: string, otherwise?: number): number => {
    const value = key(path) ?? otherwise;
    if (typeof value !== 'number') throw refuse(`its metadata have no number ${name}.${path}.`);
    return value;
  };
  const scaling = key('rope.scaling.type');
  if (scaling !== undefined && scaling !== 'none' && scaling !== 'linear')
    throw refuse(`rotary scaling "${String(scaling)}" is not known here.`);
  if (Number(key('expert_count') ?? 0) > 0) throw refuse('models of several experts are not known here.');

  const unknown = Object.keys(file.metadata).find(
    (path) =>
      path.startsWith(`${name}.`) &&
      !KEYS.has(path.slice(name.length + 1)) &&
      !architecture.keys?.includes(path.slice(name.length + 1)),
  );
  if (unknown)
    throw refuse(`the key "${unknown}" is not known here, and it may change what the model computes.`);

  const heads = number('attention.head_count');
  const width = number('embedding_length');
  const headDim = number('attention.key_length', width / heads);
  const valueDim = number('attention.value_length', headDim);
  if (valueDim !== headDim)
    throw refuse(`keys of ${headDim} columns with values of ${valueDim} are not known here.`);
  const embedding = file.tensors.get('token_embd.weight');
  const config = {
    model_type: architecture.modelType,
    vocab_size: embedding?.shape[0] ?? number('vocab_size'),
    hidden_size: width,
    intermediate_size: number('feed_forward_length'),
    num_hidden_layers: number('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: number('attention.head_count_kv', heads),
    head_dim: headDim,
    max_position_embeddings: number('context_length'),
    rms_norm_eps: number('attention.layer_norm_rms_epsilon'),
    rope_theta: number('rope.freq_base', 10_000),
    rope_scaling:
      scaling === 'linear' ? { rope_type: 'linear', factor: number('rope.scaling.factor') } : null,
    tie_word_embeddings: !file.tensors.has('output.weight'),
    bos_token_id: file.metadata['tokenizer.ggml.bos_token_id'] ?? null,
    eos_token_id: file.metadata['tokenizer.ggml.eos_token_id'] ?? null,
    pad_token_id: file.metadata['tokenizer.ggml.padding_token_id'] ?? null,
    ...architecture.config({ number, heads, headDim }),
  };

  const stored = new Map<string, string>();
  const tensors = new Map<string, TensorInfo>();
  for (const info of file.tensors.values()) {
    const published = publishedName(info.name, architecture);
    if (!published)
      throw refuse(`tensor "${info.name}" is not known here, and it may change what the model computes.`);
    stored.set(published, info.name);
    tensors.set(published, { ...info, name: published });
  }
  const isPaired = (published: string) =>
    architecture.pairedRows && /\.self_attn\.[qk]_proj\./.test(published);
  const isWhole = (published: string) => architecture.wholeNorms && /norm\.weight$/.test(published);
  const read = async (published: string) => {
    const bytes = await file.read(stored.get(published) ?? published);
    if (isPaired(published)) return halvesFromPairs(bytes, tensors.get(published)!.shape[0]!, headDim);
    return isWhole(published) ? minusOne(bytes, tensors.get(published)!) : bytes;
  };
  return {
    config,
    weights: {
      format: 'gguf',
      name: file.name,
      metadata: file.metadata,
      tensors,
      read,
      async readPart(published, offset, length) {
        const name = stored.get(published) ?? published;
        if (isWhole(published)) return (await read(published)).subarray(offset, offset + length);
        if (!isPaired(published)) return readPart(file, name, offset, length);
        // Rows change places within their head only.
        const { byteLength, shape } = tensors.get(published)!;
        const head = (byteLength / shape[0]!) * headDim;
        const from = Math.floor(offset / head) * head;
        const to = Math.min(byteLength, Math.ceil((offset + length) / head) * head);
        const heads = await readPart(file, name, from, to - from);
        return halvesFromPairs(heads, ((to - from) / head) * headDim, headDim).subarray(
          offset - from,
          offset - from + length,
        );
      },
    },
  };
}

/**
 * A GGUF file opened as `loadModelSources` opens a model folder.
 * @throws PreludeError as `openGguf`, `fromGguf` and `ggufTokenizer` do
 */
export async function loadGguf(source: ByteSource): Promise<LoadedModel> {
  const file = await openGguf(source);
  const { config, weights } = fromGguf(file);
  return {
    name: source.name,
    config,
    generationConfig: undefined,
    ...ggufTokenizer(file.metadata),
    weights,
    fingerprint: await fingerprintOf(weights),
  };
}

function publishedName(stored: string, { names }: Architecture): string | undefined {
  const match = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(stored);
  const name = match && (names?.[match[2]!] ?? NAMES[match[2]!]);
  if (!match || !name) return undefined;
  return `${match[1] === undefined ? '' : `model.layers.${match[1]}.`}${name}.${match[3]}`;
}

/** Norms are stored in f32. */
function minusOne(bytes: Uint8Array, { name, dtype }: TensorInfo): Uint8Array {
  if (dtype !== 'F32')
    throw new PreludeError(
      'unsupported-model',
      `${name} is stored as ${dtype}; norms are F32 in GGUF files.`,
      {
        where: name,
        remedy: 'Use another GGUF file of the model.',
      },
    );
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  return new Uint8Array(values.map((value) => value - 1).buffer);
}

/** Rows of heads from neighbouring pairs, 2i + h, to halves, h D/2 + i. A row is any number of bytes: blocks stay blocks. */
export function halvesFromPairs(bytes: Uint8Array, rows: number, headDim: number): Uint8Array {
  const width = bytes.byteLength / rows;
  const half = headDim / 2;
  const ordered = new Uint8Array(bytes.byteLength);
  for (let row = 0; row < rows; row++) {
    const within = row % headDim;
    const source = row - within + 2 * (within % half) + Math.floor(within / half);
    ordered.set(bytes.subarray(source * width, (source + 1) * width), row * width);
  }
  return ordered;
}
