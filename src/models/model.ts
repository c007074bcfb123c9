import type { Builder, Tensor } from '../kernels/index.ts';

/** How a frozen matrix of the engine is made of the published ones. */
export interface FrozenTensor {
  tensor: Tensor;
  /** Published names, stacked by rows: fused projections are one matrix here. */
  parts: readonly string[];
  /** Another value in place of the published one, for tables that are expanded once. `values` are f32. */
  expand?(values: Float32Array): Float32Array<ArrayBuffer>;
}

export interface ModelInfo {
  family: string;
  /** d: width of the embedding and of each virtual token. */
  width: number;
  vocabSize: number;
  heads: number;
  layers: [encoder: number, decoder: number];
  startId: number;
  eosId: number;
  padId: number;
  eps: number;
}

/** The batch of an encoder-decoder, packed: no padding anywhere. T encoder tokens, D decoder tokens, S sequences, N label rows. */
export interface Seq2SeqBatch {
  /** [T,1] token ids; bit 31 marks a row of the prompt bank. */
  ids: Tensor;
  /** [S,1] packed encoder row of each sequence's first virtual token. */
  promptRow: Tensor;
  /** [T,4], [T,4] which encoder rows an encoder token sees, and which see it. */
  encoderQueryRanges: Tensor;
  encoderKeyRanges: Tensor;
  /** [D,1], [D,4], [D,4] decoder tokens and their causal ranges. */
  decoderIds: Tensor;
  decoderQueryRanges: Tensor;
  decoderKeyRanges: Tensor;
  /** [D,4], [T,4] which encoder rows a decoder token sees, and which decoder rows see an encoder token. */
  crossQueryRanges: Tensor;
  crossKeyRanges: Tensor;
  /** [N,1], [D,1] decoder rows that carry labels, and the way back (0xffffffff: none). */
  labelRow: Tensor;
  labelOfRow: Tensor;
}

/** A soft prompt in a graph: [P, d], and where its gradient goes while it learns. */
export interface PromptInput {
  rows: Tensor;
  /** A state [P, d] that takes d loss / d prompt. Without it the prompt does not learn. */
  gradient?: Tensor;
}

/** A frozen encoder-decoder: what it needs of a checkpoint, and its graph. */
export interface Seq2SeqModel {
  kind: 'seq2seq';
  info: ModelInfo;
  frozen: readonly FrozenTensor[];
  /** [V, d] token embeddings, for initialisers and nearest words. */
  embedding: FrozenTensor;
  /** Packed encoder states after the final norm [T, d]; `layers[i]` is the residual stream that enters layer i. */
  encode(b: Builder, batch: Seq2SeqBatch, prompt: PromptInput): { states: Tensor; layers: Tensor[] };
  /** Logits of the label rows [N, V]; `layers[i]` is the residual stream that enters layer i. */
  decode(b: Builder, batch: Seq2SeqBatch, states: Tensor): { logits: Tensor; layers: Tensor[]; last: Tensor };
}
