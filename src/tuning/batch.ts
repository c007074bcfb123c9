/**
 * Packs examples into one batch without padding. Everything is rows: T encoder rows (virtual tokens, then the input, example
 * after example), D decoder rows, N rows that carry labels. Who sees whom is written as ranges of rows, so that cost follows the
 * real tokens.
 */
import { PROMPT_ROW } from '../kernels/index.ts';

const NONE = 0xffff_ffff;

export interface BatchExample {
  /** Token ids of the input, with the end token. */
  ids: readonly number[];
  /** Rows of the prompt bank in front of the input: first row and number (0: no prompt). */
  prompt: { first: number; count: number };
  /** Answers to score or learn; plans may be shared between examples. */
  answers: AnswerPlan;
  /** Index of the right answer among the candidates; -1 where there is none. */
  target: number;
}

/** Decoder rows that several candidate answers of one example need, shared where they begin alike. */
export interface AnswerPlan {
  candidates: readonly (readonly number[])[];
  /** Decoder sequences after the start token; candidate c reads its tokens from positions 0, 1, ... of `home[c]`. */
  sequences: readonly (readonly number[])[];
  home: readonly number[];
}

/**
 * Candidates that begin alike share rows: a causal decoder gives the same states for the same beginning. Only the longest
 * beginnings are run. One-token labels all share a single row.
 */
export function planAnswers(candidates: readonly (readonly number[])[]): AnswerPlan {
  const beginnings = candidates.map((tokens) => {
    if (tokens.length === 0) throw new Error('an answer needs at least one token');
    return tokens.slice(0, -1);
  });
  const startsWith = (long: readonly number[], short: readonly number[]) =>
    short.every((token, i) => long[i] === token);
  const sequences: (readonly number[])[] = [];
  for (const beginning of [...beginnings].sort((a, b) => b.length - a.length))
    if (!sequences.some((kept) => startsWith(kept, beginning))) sequences.push(beginning);
  return {
    candidates,
    sequences,
    home: beginnings.map((beginning) => sequences.findIndex((kept) => startsWith(kept, beginning))),
  };
}

/** An example's candidates, each token with the label row that predicts it. */
export interface PackedExample {
  candidates: { tokens: readonly number[]; rows: number[] }[];
  target: number;
}

export interface PackedBatch {
  /** T, S, D, N of the model's graph, and the pairs of rows that see each other. */
  dims: {
    T: number;
    S: number;
    D: number;
    N: number;
    encoderPairs: number;
    decoderPairs: number;
    crossPairs: number;
  };
  ids: Uint32Array<ArrayBuffer>;
  promptRow: Uint32Array<ArrayBuffer>;
  encoderQueryRanges: Uint32Array<ArrayBuffer>;
  encoderKeyRanges: Uint32Array<ArrayBuffer>;
  decoderIds: Uint32Array<ArrayBuffer>;
  decoderQueryRanges: Uint32Array<ArrayBuffer>;
  decoderKeyRanges: Uint32Array<ArrayBuffer>;
  crossQueryRanges: Uint32Array<ArrayBuffer>;
  crossKeyRanges: Uint32Array<ArrayBuffer>;
  labelRow: Uint32Array<ArrayBuffer>;
  labelOfRow: Uint32Array<ArrayBuffer>;
  /** For each example, for each of its candidates, its tokens with the label rows that predict them. */
  examples: PackedExample[];
}

/** Rows a batch of these examples takes: what must fit a program's capacity. */
export function packedSize(example: BatchExample): { T: number; D: number } {
  return {
    T: example.prompt.count + example.ids.length,
    D: example.answers.sequences.reduce((sum, sequence) => sum + sequence.length + 1, 0),
  };
}

export function packBatch(examples: readonly BatchExample[], startId: number): PackedBatch {
  const T = examples.reduce((sum, e) => sum + packedSize(e).T, 0);
  const D = examples.reduce((sum, e) => sum + packedSize(e).D, 0);
  const ids = new Uint32Array(T);
  const promptRow = new Uint32Array(examples.length);
  const encoderQueryRanges = new Uint32Array(4 * T);
  const encoderKeyRanges = new Uint32Array(4 * T);
  const crossKeyRanges = new Uint32Array(4 * T);
  const decoderIds = new Uint32Array(D);
  const decoderQueryRanges = new Uint32Array(4 * D);
  const decoderKeyRanges = new Uint32Array(4 * D);
  const crossQueryRanges = new Uint32Array(4 * D);
  const labelRow: number[] = [];
  const labelOfRow = new Uint32Array(D).fill(NONE);
  const packed: PackedBatch['examples'] = [];

  let t = 0;
  let d = 0;
  const pairs = { encoderPairs: 0, decoderPairs: 0, crossPairs: 0 };
  examples.forEach((example, s) => {
    const { prompt, answers } = example;
    const [first, end] = [t, t + packedSize(example).T];
    const decoderFirst = d;
    const decoderEnd = d + packedSize(example).D;
    promptRow[s] = first;
    pairs.encoderPairs += (end - first) ** 2;
    pairs.crossPairs += (end - first) * (decoderEnd - decoderFirst);
    for (; t < end; t++) {
      const position = t - first;
      ids[t] =
        position < prompt.count
          ? (PROMPT_ROW | (prompt.first + position)) >>> 0
          : example.ids[position - prompt.count];
      encoderQueryRanges.set([first, end, -position >>> 0, 0], 4 * t);
      encoderKeyRanges.set([first, end, position, 0], 4 * t);
      crossKeyRanges.set([decoderFirst, decoderEnd, 0, 0], 4 * t);
    }
    const rowOf: number[] = [];
    for (const sequence of answers.sequences) {
      const from = d;
      const to = d + sequence.length + 1;
      rowOf.push(from);
      pairs.decoderPairs += ((to - from) * (to - from + 1)) / 2;
      for (; d < to; d++) {
        decoderIds[d] = d === from ? startId : sequence[d - from - 1];
        decoderQueryRanges.set([from, d + 1, -(d - from) >>> 0, 0], 4 * d);
        decoderKeyRanges.set([d, to, 0, 0], 4 * d);
        crossQueryRanges.set([first, end, 0, 0], 4 * d);
      }
    }
    packed.push({
      target: example.target,
      candidates: answers.candidates.map((tokens, c) => ({
        tokens,
        rows: tokens.map((_, j) => {
          const row = rowOf[answers.home[c]] + j;
          if (labelOfRow[row] === NONE) {
            labelOfRow[row] = labelRow.length;
            labelRow.push(row);
          }
          return labelOfRow[row];
        }),
      })),
    });
  });

  return {
    dims: { T, S: examples.length, D, N: labelRow.length, ...pairs },
    ids,
    promptRow,
    encoderQueryRanges,
    encoderKeyRanges,
    decoderIds,
    decoderQueryRanges,
    decoderKeyRanges,
    crossQueryRanges,
    crossKeyRanges,
    labelRow: Uint32Array.from(labelRow),
    labelOfRow,
    examples: packed,
  };
}
