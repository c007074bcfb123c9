import type { Builder, Head, Tensor } from '../kernels/index.ts';

/** How a frozen matrix of the engine is made of the published ones. */
export interface FrozenTensor {
  /** Rows of published matrices; published vectors, one after another; or a table that is made from what is published. */
  kind: 'matrix' | 'vector' | 'table';
  tensor: Tensor;
  /** Published names, stacked by rows: fused projections are one matrix here. Vectors count each value as a row. */
  parts: readonly string[];
  /** Parts are published [in, out] and stacked after turning them round (GPT-2). */
  transposed?: boolean;
  /** Stacked row that becomes row r here, where rows are chosen or reordered. */
  rowOrder?(row: number): number;
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
  /** Rows a sequence may have, virtual tokens included; absent: any number. */
  maxPositions?: number;
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

/** What a forward pass gives. */
export interface Decoded {
  /** [N, V] */
  logits: Tensor;
  /** The residual stream that enters each layer. */
  layers: Tensor[];
  /** States of the label rows [N, d] that the output layer reads. */
  last: Tensor;
  /** The output layer that gave the logits: a loss may take it in chunks. */
  head: Head;
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
  decode(b: Builder, batch: Seq2SeqBatch, states: Tensor): Decoded;
}

/**
 * The batch of a decoder, packed: T rows in all. Either the P rows of one prompt come first and all examples see them (`dims.P`
 * is P), or each example has its own (`dims.P` is 0). An example is its input's rows, then the rows of each answer's beginning.
 */
export interface CausalBatch {
  /** [T,1] token ids; bit 31 marks a row of the prompt bank. */
  ids: Tensor;
  /** [S,1] packed row of each first virtual token. */
  promptRow: Tensor;
  /** [T,1] position in the sequence, virtual tokens counted. */
  positions: Tensor;
  /** [T,4], [T,4] which rows a row sees and which see it, behind a shared prefix of P. */
  queryRanges: Tensor;
  keyRanges: Tensor;
  /** The same within the model's window. */
  windowQueryRanges: Tensor;
  windowKeyRanges: Tensor;
  /** [N,1], [T,1] rows that carry labels, ascending, and the way back (0xffffffff: none). */
  labelRow: Tensor;
  labelOfRow: Tensor;
  /** [N,1], [N,4], [T,4]: positions and ranges of the label rows alone, as the last layer sees them. */
  labelPositions: Tensor;
  labelQueryRanges: Tensor;
  labelKeyRanges: Tensor;
}

/** A frozen decoder. */
export interface CausalModel {
  kind: 'causal';
  info: ModelInfo;
  frozen: readonly FrozenTensor[];
  /** [V, d] token embeddings as they enter the model, for initialisers and nearest words. */
  embedding: FrozenTensor;
  /** Layers with a sliding window see the last `size` rows, themselves included. */
  window?: { size: number; lastLayer: boolean };
  /** Logits of the label rows [N, V]; `layers[i]` is the residual stream that enters layer i. */
  forward(b: Builder, batch: CausalBatch, prompt: PromptInput): Decoded;
}

export type FrozenModel = Seq2SeqModel | CausalModel;
