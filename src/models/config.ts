import * as v from 'valibot';
import { PreludeError } from '../errors.ts';

const WHERE = 'config.json';

/**
 * Keys of published configs that say nothing about the arithmetic of a frozen model in evaluation mode: names, versions, dropout,
 * initialisation, training, generation and caching.
 */
const HARMLESS = new Set(
  `architectures auto_map bos_token_id eos_token_id pad_token_id unk_token_id sep_token_id cls_token_id decoder_start_token_id
  forced_bos_token_id forced_eos_token_id torch_dtype dtype transformers_version use_cache model_type name_or_path license
  initializer_range initializer_factor embedding_initializer_range init_std pretraining_tp is_decoder is_encoder_decoder
  attention_dropout hidden_dropout dropout dropout_rate classifier_dropout activation_dropout layerdrop embd_pdrop attn_pdrop
  resid_pdrop summary_type summary_use_proj summary_activation summary_proj_to_labels summary_first_dropout
  task_specific_params output_past n_ctx n_positions gradient_checkpointing output_hidden_states output_attentions
  return_dict torchscript tokenizer_class prefix problem_type id2label label2id num_labels finetuning_task use_bfloat16
  max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p typical_p
  repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences
  chunk_size_feed_forward output_scores return_dict_in_generate remove_invalid_values suppress_tokens begin_suppress_tokens
  exponential_decay_length_penalty cross_attention_hidden_size add_cross_attention tie_encoder_decoder pruned_heads
  cache_implementation unsloth_fixed unsloth_version reorder_and_upcast_attn attn_implementation dense_act_fn is_gated_act
  is_llama_config rope_interleaved classifier_bias transformers.js_config`.split(/\s+/),
);

/** A model that Prelude cannot compute: which key, and what it knows in its place. */
export const unsupported = (message: string, remedy: string): PreludeError =>
  new PreludeError('unsupported-model', `config.json: ${message}`, { where: WHERE, remedy });

const badConfig = (message: string): PreludeError =>
  new PreludeError('bad-config', `config.json: ${message}`, {
    where: WHERE,
    remedy: 'Use the config.json that was published with these weights.',
  });

/**
 * The parsed config. A key that neither the schema nor the list of harmless ones has may change the arithmetic, so it is refused
 * unless it is null.
 * @throws PreludeError `bad-config` for a value that is missing or off, `unsupported-model` naming a key that is not known.
 */
export function readConfig<E extends v.ObjectEntries>(
  entries: E,
  config: unknown,
): v.InferOutput<v.ObjectSchema<E, undefined>> {
  const parsed = v.safeParse(v.object(entries), config);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw badConfig(`${v.getDotPath(issue) ?? 'value'}: ${issue.message}`);
  }
  for (const [key, value] of Object.entries(config as object))
    if (!(key in entries) && !HARMLESS.has(key) && !key.startsWith('_') && value !== null)
      throw unsupported(
        `"${key}" is not known here, and it may change what the model computes.`,
        'Use a model whose config has only the usual keys of its family.',
      );
  return parsed.output;
}

/** The architecture that a config names. */
export const modelType = (config: unknown): unknown =>
  (config as { model_type?: unknown } | null | undefined)?.model_type;

/** A whole number from 1 up. The largest of published configs are positions, 10,485,760 in Llama 4. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 24));
/** Layers of a stack: each is built before its tensors are looked for. The deepest published models have 126. */
export const layerCount = v.pipe(count, v.maxValue(1000));
/** A value that may be missing or null. */
export const maybe = <S extends v.GenericSchema>(schema: S) => v.optional(v.nullable(schema));
/** A value of which the engine knows one only; anything else is refused by the schema's message. */
export const tokenId = v.optional(v.nullable(v.union([v.number(), v.array(v.number())])));

/** The first id where a config has several. */
export const firstId = (id: number | number[] | null | undefined, otherwise: number): number =>
  (Array.isArray(id) ? id[0] : id) ?? otherwise;

/** @throws PreludeError `unsupported-model` naming the key where the value is not `allowed` (or missing or null). */
export function only<T>(key: string, value: T | null | undefined, ...allowed: T[]): void {
  if (value !== null && value !== undefined && !allowed.includes(value))
    throw unsupported(
      `${key} is ${JSON.stringify(value)}, which is not known here.`,
      `Known: ${allowed.map((a) => JSON.stringify(a)).join(', ')}.`,
    );
}

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
