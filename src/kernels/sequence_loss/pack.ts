import type { Size, Tensor } from '../kernel.ts';

/** In `examples`: this example has no right answer (its loss and gradient are 0). */
export const NO_TARGET = 0xffff_ffff;

/** A label sequence: its tokens, each with the row of the logits that predicts it. */
export interface Candidate {
  tokens: ArrayLike<number>;
  rows: ArrayLike<number>;
}

export interface LossExample {
  candidates: Candidate[];
  /** Index of the right one among this example's candidates. */
  target?: number;
}

/**
 * The label sequences of a batch as the kernels read them. A term is one token of one candidate; terms lie in the order of the
 * candidates, candidates in the order of the examples. Few buffers: WebGPU guarantees 8 to a shader.
 */
export interface LossInputs<T = Tensor> {
  /** u32 [K, 4], a term each: its row of the logits, its token, its candidate; and, unrelated to it, in entry j the j-th term by rows. */
  terms: T;
  /** u32 [N, 2], a row of the logits each: where its terms start and end in the order by rows. */
  rows: T;
  /** u32 [C, 2]: first term and end. */
  candidates: T;
  /** u32 [E, 3]: first candidate, end, and the right candidate counted over the whole batch, or NO_TARGET. */
  examples: T;
}

/** Makes the four input tensors; `rows` is the size name of the logits, the others are K, C and E. */
export function lossInputs(
  make: (name: string, rows: Size, cols: number) => Tensor,
  rows: Size = 'N',
): LossInputs {
  return {
    terms: make('loss.terms', 'K', 4),
    rows: make('loss.rows', rows, 2),
    candidates: make('loss.candidates', 'C', 2),
    examples: make('loss.examples', 'E', 3),
  };
}

export interface PackedTerms extends LossInputs<Uint32Array<ArrayBuffer>> {
  /** Sizes to merge into `Dims`. */
  sizes: { K: number; C: number; E: number };
}

/** Builds the four arrays. @throws Error where a row or a target is out of range, or a candidate has no tokens. */
export function packTerms(examples: LossExample[], rowCount: number): PackedTerms {
  const flat = examples.flatMap((example) => example.candidates);
  const K = flat.reduce((sum, candidate) => sum + candidate.tokens.length, 0);
  const packed: PackedTerms = {
    terms: new Uint32Array(4 * K),
    rows: new Uint32Array(2 * rowCount),
    candidates: new Uint32Array(2 * flat.length),
    examples: new Uint32Array(3 * examples.length),
    sizes: { K, C: flat.length, E: examples.length },
  };
  const { terms, rows, candidates } = packed;

  let k = 0;
  flat.forEach(({ tokens, rows: tokenRows }, c) => {
    if (tokens.length === 0 || tokens.length !== tokenRows.length)
      throw new Error(`candidate ${c} has ${tokens.length} tokens and ${tokenRows.length} rows`);
    candidates[2 * c] = k;
    for (let i = 0; i < tokens.length; i++, k++) {
      const row = tokenRows[i];
      if (!(row < rowCount)) throw new Error(`candidate ${c} names row ${row} of ${rowCount}`);
      terms.set([row, tokens[i], c], 4 * k);
      rows[2 * row + 1]++;
    }
    candidates[2 * c + 1] = k;
  });

  // Counts become starts; ends then run as the rows fill.
  let start = 0;
  for (let row = 0; row < rowCount; row++) {
    const count = rows[2 * row + 1];
    rows[2 * row] = rows[2 * row + 1] = start;
    start += count;
  }
  for (let term = 0; term < K; term++) terms[4 * rows[2 * terms[4 * term] + 1]++ + 3] = term;

  let first = 0;
  examples.forEach(({ candidates: own, target }, e) => {
    if (target !== undefined && !(target < own.length))
      throw new Error(`example ${e} has ${own.length} candidates, but its target is number ${target}`);
    packed.examples.set(
      [first, first + own.length, target === undefined ? NO_TARGET : first + target],
      3 * e,
    );
    first += own.length;
  });
  return packed;
}
