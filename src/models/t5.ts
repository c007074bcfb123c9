import * as v from 'valibot';
import {
  type Activation,
  type AttentionSettings,
  activate,
  attention,
  type Builder,
  embed,
  gate,
  gatherRows,
  linear,
  rmsNorm,
  type Tensor,
} from '../kernels/index.ts';
import { count, firstId, layerCount, maybe, modelType, only, range, readConfig, tokenId } from './config.ts';
import { type Checkpoint, collectFrozen } from './frozen.ts';
import type { ModelInfo, PromptInput, Seq2SeqBatch, Seq2SeqModel } from './model.ts';

/**
 * T5 v1.0 and v1.1 (Raffel et al. 2020; Shazeer 2020 for the gated form), the LM-adapted and Flan checkpoints of both, mT5 and UMT5
 * (Xue et al. 2021; Chung et al. 2023: a relative bias for each layer), as `T5ForConditionalGeneration` of transformers computes
 * it in evaluation mode: pre-norm blocks, RMS norms, attention without 1/sqrt(d_kv), one relative bias per stack used by all its
 * layers, none in cross-attention.
 *
 * Fused here: q, k, v of a layer are one matrix [3 H D, d]; wi_0 and wi_1 one [2 f, d]; the keys and values of all
 * cross-attentions one [L 2 H D, d], computed from the encoder's output in one product.
 */
const entries = {
  model_type: v.picklist(['t5', 'mt5', 'umt5']),
  vocab_size: count,
  d_model: count,
  d_kv: count,
  d_ff: count,
  num_layers: layerCount,
  num_decoder_layers: maybe(layerCount),
  num_heads: count,
  relative_attention_num_buckets: v.optional(count, 32),
  /** Rows of a table that is made of it: published are 128 and 256. */
  relative_attention_max_distance: v.optional(v.pipe(count, v.maxValue(2 ** 14)), 128),
  layer_norm_epsilon: v.optional(v.number(), 1e-6),
  feed_forward_proj: v.optional(v.string()),
  tie_word_embeddings: v.optional(v.boolean()),
  scale_decoder_outputs: v.optional(v.boolean()),
  scalable_attention: maybe(v.boolean()),
  pad_token_id: v.optional(v.number(), 0),
  eos_token_id: tokenId,
  decoder_start_token_id: maybe(v.number()),
};
type T5Config = v.InferOutput<v.ObjectSchema<typeof entries, undefined>>;

const ACTIVATIONS: Record<string, { gated: boolean; activation: Activation }> = {
  relu: { gated: false, activation: 'relu' },
  'gated-gelu': { gated: true, activation: 'gelu_new' },
  'gated-silu': { gated: true, activation: 'silu' },
};

/** Whether a published config names this family. */
export const isT5 = (config: unknown): boolean =>
  entries.model_type.options.some((type) => type === modelType(config));

/**
 * @throws PreludeError `bad-config` for a value that is missing or off, `unsupported-model` for arithmetic we do not have,
 * `bad-weights` for a tensor that is missing or has another shape.
 */
export function makeT5(config: unknown, checkpoint: Checkpoint): Seq2SeqModel {
  const c = readConfig(entries, config);
  const projection = c.feed_forward_proj ?? (c.model_type === 't5' ? 'relu' : 'gated-gelu');
  only('feed_forward_proj', projection, ...Object.keys(ACTIVATIONS));
  const form = ACTIVATIONS[projection];
  const decoderLayers = c.num_decoder_layers ?? c.num_layers;
  const inner = c.num_heads * c.d_kv;
  // transformers 5 writes "tied" for all, and keeps an untied head beside it; mT5's heads are never tied.
  const untied = c.scale_decoder_outputs === false || c.model_type === 'mt5';
  const tied = !(untied && checkpoint.has('lm_head.weight')) && (c.tie_word_embeddings ?? true);
  // transformers 4 scales the decoder's output wherever the head is tied; transformers 5 says so in a key of its own.
  const scaled = c.scale_decoder_outputs ?? tied;

  const frozen = collectFrozen(checkpoint);
  const norm = (name: string) => frozen.vector(name, [`${name}.weight`], c.d_model);
  /** The published bias [buckets, H], laid out by head and distance: [H, 2 reach + 1]. */
  const bias = (stack: 'encoder' | 'decoder', layer = 0) => {
    const part = `${stack}.block.${layer}.layer.0.SelfAttention.relative_attention_bias.weight`;
    const reach = c.relative_attention_max_distance;
    const table = frozen.table(
      `${stack} ${layer} relative bias`,
      c.num_heads,
      2 * reach + 1,
      (values) => expandBias(values, c, stack === 'encoder'),
      { part, shape: [c.relative_attention_num_buckets, c.num_heads] },
    );
    return { table, reach };
  };
  /** One for each layer in UMT5; elsewhere that of layer 0 serves them all. */
  const biases = (stack: 'encoder' | 'decoder', layers: number) => {
    if (c.model_type === 'umt5') return range(layers).map((layer) => bias(stack, layer));
    const shared = bias(stack);
    return range(layers).map(() => shared);
  };
  const matrix = (name: string, parts: string[], rows: number, cols = c.d_model) =>
    frozen.matrix(
      name,
      parts.map((part) => `${part}.weight`),
      rows,
      cols,
    );
  const feedForward = (name: string) => ({
    wi: matrix(
      `${name}.wi`,
      form.gated ? [`${name}.wi_0`, `${name}.wi_1`] : [`${name}.wi`],
      form.gated ? 2 * c.d_ff : c.d_ff,
    ),
    wo: matrix(`${name}.wo`, [`${name}.wo`], c.d_model, c.d_ff),
  });
  const selfAttention = (name: string) => ({
    qkv: matrix(
      `${name}.qkv`,
      ['q', 'k', 'v'].map((w) => `${name}.${w}`),
      3 * inner,
    ),
    o: matrix(`${name}.o`, [`${name}.o`], c.d_model, inner),
  });

  const shared = frozen.vocabulary('shared', 'shared.weight', c.vocab_size, c.d_model);
  const embedding = frozen.list[frozen.list.length - 1];
  const encoderBiases = biases('encoder', c.num_layers);
  const encoderLayers = range(c.num_layers).map((i) => ({
    attention: selfAttention(`encoder.block.${i}.layer.0.SelfAttention`),
    attentionNorm: norm(`encoder.block.${i}.layer.0.layer_norm`),
    feedForward: feedForward(`encoder.block.${i}.layer.1.DenseReluDense`),
    feedForwardNorm: norm(`encoder.block.${i}.layer.1.layer_norm`),
  }));
  const encoderNorm = norm('encoder.final_layer_norm');
  const decoderBiases = biases('decoder', decoderLayers);
  const cross = (i: number, w: string) => `decoder.block.${i}.layer.1.EncDecAttention.${w}`;
  const crossKv = matrix(
    'decoder.cross.kv',
    range(decoderLayers).flatMap((i) => [cross(i, 'k'), cross(i, 'v')]),
    2 * inner * decoderLayers,
  );
  const decoderBlocks = range(decoderLayers).map((i) => ({
    attention: selfAttention(`decoder.block.${i}.layer.0.SelfAttention`),
    attentionNorm: norm(`decoder.block.${i}.layer.0.layer_norm`),
    crossQ: matrix(`decoder.block.${i}.cross.q`, [cross(i, 'q')], inner),
    crossO: matrix(`decoder.block.${i}.cross.o`, [cross(i, 'o')], c.d_model, inner),
    crossNorm: norm(`decoder.block.${i}.layer.1.layer_norm`),
    feedForward: feedForward(`decoder.block.${i}.layer.2.DenseReluDense`),
    feedForwardNorm: norm(`decoder.block.${i}.layer.2.layer_norm`),
  }));
  const decoderNorm = norm('decoder.final_layer_norm');
  const head = tied ? shared : frozen.vocabulary('lm_head', 'lm_head.weight', c.vocab_size, c.d_model);
  const headScale = scaled ? c.d_model ** -0.5 : 1;

  const heads = { heads: c.num_heads, kvHeads: c.num_heads, headDim: c.d_kv, scale: 1 };
  const eps = c.layer_norm_epsilon;

  /** x + wo(act(wi(norm(x)))) */
  const feedForwardBlock = (
    b: Builder,
    x: Tensor,
    n: Tensor,
    w: { wi: Tensor; wo: Tensor },
    name: string,
  ): Tensor => {
    const up = linear(b, rmsNorm(b, x, n, eps), w.wi, { name: `${name}.wi` });
    const hidden = form.gated ? gate(b, up, form.activation) : activate(b, up, form.activation);
    return linear(b, hidden, w.wo, { name: `${name}.out`, residual: x });
  };

  const info: ModelInfo = {
    family: { t5: form.gated ? 'T5 v1.1' : 'T5', mt5: 'mT5', umt5: 'UMT5' }[c.model_type],
    width: c.d_model,
    vocabSize: c.vocab_size,
    heads: c.num_heads,
    layers: [c.num_layers, decoderLayers],
    startId: c.decoder_start_token_id ?? c.pad_token_id,
    eosId: firstId(c.eos_token_id, 1),
    padId: c.pad_token_id,
    eps,
  };

  /** x + o(attention of norm(x) to itself) */
  const selfAttentionBlock = (
    b: Builder,
    x: Tensor,
    layer: { attentionNorm: Tensor; attention: { qkv: Tensor; o: Tensor } },
    name: string,
    seen: Pick<AttentionSettings, 'bias' | 'queryRanges' | 'keyRanges' | 'pairs'>,
  ): Tensor => {
    const qkv = linear(b, rmsNorm(b, x, layer.attentionNorm, eps), layer.attention.qkv, {
      name: `${name}.qkv`,
    });
    const mixed = attention(b, {
      ...heads,
      ...seen,
      name: `${name}.attention`,
      q: qkv,
      qColumn: 0,
      k: qkv,
      kColumn: inner,
      v: qkv,
      vColumn: 2 * inner,
    });
    return linear(b, mixed, layer.attention.o, { name: `${name}.mid`, residual: x });
  };

  return {
    kind: 'seq2seq',
    info,
    frozen: frozen.list,
    embedding,
    encode(b: Builder, batch: Seq2SeqBatch, prompt: PromptInput) {
      let x = embed(b, batch.ids, shared, {
        name: 'encoder.embed',
        prompt: prompt.rows,
        gradient: prompt.gradient && { into: prompt.gradient, promptRow: batch.promptRow },
      });
      const layers: Tensor[] = [];
      encoderLayers.forEach((layer, i) => {
        layers.push(x);
        const name = `encoder.${i}`;
        x = selfAttentionBlock(b, x, layer, name, {
          bias: encoderBiases[i],
          queryRanges: batch.encoderQueryRanges,
          keyRanges: batch.encoderKeyRanges,
          pairs: 'encoderPairs',
        });
        x = feedForwardBlock(b, x, layer.feedForwardNorm, layer.feedForward, name);
      });
      return { states: rmsNorm(b, x, encoderNorm, eps), layers };
    },
    decode(b: Builder, batch: Seq2SeqBatch, states: Tensor) {
      const kv = linear(b, states, crossKv, { name: 'decoder.cross.kv' });
      let x = embed(b, batch.decoderIds, shared, { name: 'decoder.embed' });
      const layers: Tensor[] = [];
      decoderBlocks.forEach((layer, i) => {
        layers.push(x);
        const name = `decoder.${i}`;
        x = selfAttentionBlock(b, x, layer, name, {
          bias: decoderBiases[i],
          queryRanges: batch.decoderQueryRanges,
          keyRanges: batch.decoderKeyRanges,
          pairs: 'decoderPairs',
        });
        const q = linear(b, rmsNorm(b, x, layer.crossNorm, eps), layer.crossQ, { name: `${name}.cross.q` });
        const crossed = attention(b, {
          ...heads,
          name: `${name}.cross`,
          q,
          qColumn: 0,
          k: kv,
          kColumn: 2 * inner * i,
          v: kv,
          vColumn: 2 * inner * i + inner,
          queryRanges: batch.crossQueryRanges,
          keyRanges: batch.crossKeyRanges,
          pairs: 'crossPairs',
        });
        x = linear(b, crossed, layer.crossO, { name: `${name}.cross.mid`, residual: x });
        x = feedForwardBlock(b, x, layer.feedForwardNorm, layer.feedForward, name);
      });
      const last = rmsNorm(b, gatherRows(b, x, batch.labelRow, batch.labelOfRow), decoderNorm, eps);
      return {
        logits: linear(b, last, head, { name: 'logits', alpha: headScale }),
        layers,
        last,
        head: { states: last, weight: head, alpha: headScale },
      };
    },
  };
}

/**
 * Bucket of a relative position (key minus query) as `T5Attention._relative_position_bucket` has it: half of the buckets
 * exact, the rest logarithmic up to the maximal distance.
 */
export function relativeBucket(
  relative: number,
  bidirectional: boolean,
  buckets: number,
  maxDistance: number,
): number {
  const n = bidirectional ? Math.floor(buckets / 2) : buckets;
  const base = bidirectional && relative > 0 ? n : 0;
  const distance = bidirectional ? Math.abs(relative) : Math.max(0, -relative);
  const exact = Math.floor(n / 2);
  if (distance < exact) return base + distance;
  const far = exact + Math.floor((Math.log(distance / exact) / Math.log(maxDistance / exact)) * (n - exact));
  return base + Math.min(n - 1, far);
}

function expandBias(values: Float32Array, c: T5Config, bidirectional: boolean): Float32Array<ArrayBuffer> {
  const reach = c.relative_attention_max_distance;
  const width = 2 * reach + 1;
  const table = new Float32Array(c.num_heads * width);
  for (let relative = -reach; relative <= reach; relative++) {
    const bucket = relativeBucket(relative, bidirectional, c.relative_attention_num_buckets, reach);
    for (let h = 0; h < c.num_heads; h++)
      table[h * width + relative + reach] = values[bucket * c.num_heads + h];
  }
  return table;
}
