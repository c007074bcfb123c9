import { expandWgsl } from '../../gpu/index.ts';
import {
  grid,
  type Kernel,
  type KernelTraits,
  piecesOf,
  rowsOf,
  size,
  type Tensor,
  u32,
  VIEW_ROWS,
} from '../kernel.ts';
import { productKernels } from '../matmul/linear.ts';
import type { Builder } from '../op.ts';
import { softCapKernel } from '../soft_cap/soft_cap.ts';
import type { LossInputs } from './pack.ts';
import pickWgsl from './pick_terms.wgsl?raw';
import {
  CHUNK_COLUMNS,
  gradientKernels,
  type LossMode,
  lseJoin,
  lsePart,
  rowWeightKernel,
  scoreKernel,
  totalKernel,
  weighKernel,
} from './sequence_loss.ts';

/** The output layer: logits = alpha * states W^T + bias, then drawn towards a cap. */
export interface Head {
  /** [N, d] */
  states: Tensor;
  /** [V, d], in any weight format, in one piece or several. */
  weight: Tensor;
  /** Default 1. */
  alpha?: number;
  /** [1, V] */
  bias?: Tensor;
  /** As `softCap` has it (Gemma 2). */
  cap?: number;
}

/** Logits of this many bytes, [rows, V] of the largest batch, are computed in chunks of the vocabulary and never held whole. */
const WHOLE_BYTES = 2 ** 27;
/** Bytes of a chunk of them. */
const CHUNK_BYTES = 2 ** 25;

/** Columns of the vocabulary to take at once; undefined where the logits of the largest batch are small enough to be held whole. */
export function headChunk(traits: KernelTraits, { states, weight }: Head): number | undefined {
  const rows = typeof states.rows === 'number' ? states.rows : traits.capacity?.[states.rows];
  if (rows === undefined || 4 * rows * (weight.rows as number) <= WHOLE_BYTES) return undefined;
  return Math.max(VIEW_ROWS, Math.floor(CHUNK_BYTES / (4 * rows * VIEW_ROWS)) * VIEW_ROWS);
}

interface Chunk {
  /** Rows of the weight, bound where they lie. */
  weight: Tensor;
  /** First column of the vocabulary. */
  first: number;
  /** [N, columns] */
  logits: Tensor;
}

/** Chunks of equal width share one tensor: each is used up before the next is computed. */
function chunksOf(b: Builder, { states, weight }: Head, columns: number): Chunk[] {
  const tensors = new Map<number, Tensor>();
  const chunks: Chunk[] = [];
  let first = 0;
  for (const piece of piecesOf(weight)) {
    const rows = piece.rows as number;
    for (let from = 0; from < rows; from += columns) {
      const count = Math.min(columns, rows - from);
      let logits = tensors.get(count);
      if (!logits) {
        logits = b.tensor('logits of a chunk', states.rows, count);
        tensors.set(count, logits);
      }
      chunks.push({
        weight: count === rows ? piece : rowsOf(piece, from, count),
        first: first + from,
        logits,
      });
    }
    first += rows;
  }
  return chunks;
}

const inputsOf = ({ states, weight, bias }: Head): Tensor[] =>
  bias ? [states, weight, bias] : [states, weight];

const distinct = <T>(list: readonly T[]): T[] => [...new Set(list)];

/** Kernels, and the tensors between them. */
interface Made {
  kernels: Kernel[];
  scratch: Tensor[];
}

/** The logits of a chunk. */
function logitsOf(b: Builder, chunk: Chunk, { states, alpha, bias, cap }: Head): Made {
  const { weight, logits, first } = chunk;
  const made = productKernels(b, {
    direction: 'nt',
    left: states,
    w: weight,
    out: logits,
    alpha,
    bias,
    biasFirst: first,
  });
  return cap ? { ...made, kernels: [...made.kernels, softCapKernel(logits, logits, cap)] } : made;
}

/** Their gradient's share in that of the states, added to it or, in the first chunk, to what it is to be added to. */
function backToStates(b: Builder, chunk: Chunk, { alpha }: Head, dx: Tensor, addend?: Tensor): Made {
  const { logits, weight, first } = chunk;
  const accumulate = first > 0;
  return productKernels(b, { direction: 'nn', left: logits, w: weight, out: dx, alpha, addend, accumulate });
}

/** Scores of all candidates by online log-sum-exp over the chunks. */
function chunkedScores(
  b: Builder,
  head: Head,
  batch: Pick<LossInputs, 'terms' | 'candidates'>,
  columns: number,
): Made & { lse: Tensor; score: Tensor; picked: Tensor } {
  const { rows } = head.states;
  const chunks = chunksOf(b, head, columns);
  const places = chunks.reduce((sum, { logits }) => sum + Math.ceil(logits.cols / CHUNK_COLUMNS), 0);
  const parts = b.tensor('loss.lseParts', rows, 2 * places);
  const lse = b.tensor('loss.lse', rows, 2);
  const picked = b.tensor('loss.picked', batch.terms.rows, 1);
  const score = b.tensor('loss.score', batch.candidates.rows, 1);
  const kernels: Kernel[] = [];
  const scratch: Tensor[] = [parts];
  let place = 0;
  for (const chunk of chunks) {
    const made = logitsOf(b, chunk, head);
    kernels.push(
      ...made.kernels,
      lsePart(b.traits, chunk.logits, parts, CHUNK_COLUMNS, place),
      pickKernel(chunk, batch, picked),
    );
    scratch.push(chunk.logits, ...made.scratch);
    place += Math.ceil(chunk.logits.cols / CHUNK_COLUMNS);
  }
  kernels.push(lseJoin(parts, lse), scoreKernel(picked, lse, batch, score, true));
  return { kernels, scratch: distinct(scratch), lse, score, picked };
}

function pickKernel({ logits, first }: Chunk, batch: Pick<LossInputs, 'terms'>, picked: Tensor): Kernel {
  return {
    name: 'sequence_loss/pick',
    code: expandWgsl(pickWgsl, {}),
    buffers: [
      { tensor: logits, access: 'read' },
      { tensor: batch.terms, access: 'read' },
      { tensor: picked, access: 'read_write' },
    ],
    uniforms: [u32(picked.rows), u32(logits.cols), u32(first)],
    workgroups: (dims) => grid(size(dims, picked.rows), 64),
    cost: (dims) => ({ flops: size(dims, picked.rows), bytes: 24 * size(dims, picked.rows) }),
  };
}

/**
 * Output layer and loss in one, over chunks of the vocabulary: the same as `linear`, `softCap` and `sequenceLoss`, but [N, V] is never held. On
 * the way back each chunk's logits are computed again, become their gradient in place, and are multiplied into that of the states:
 * one product of the head more, and V / columns times less memory (as in cut cross-entropy, Wijmans et al. 2025).
 * @param columns a multiple of 256, from `headChunk`
 */
export function chunkedSequenceLoss(
  b: Builder,
  head: Head,
  batch: LossInputs,
  mode: LossMode,
  state: { loss: Tensor },
  columns: number,
): { score: Tensor; exampleLoss: Tensor } {
  const { states, cap } = head;
  const { kernels, scratch, lse, score, picked } = chunkedScores(b, head, batch, columns);
  const weights = b.tensor('loss.weight', batch.candidates.rows, 1);
  const exampleLoss = b.tensor('loss.example', batch.examples.rows, 1);
  b.record({
    op: 'chunked_loss',
    inputs: [...inputsOf(head), batch.terms, batch.candidates, batch.examples, state.loss],
    outputs: [state.loss, score, exampleLoss, weights, lse, picked, ...scratch],
    kernels: [
      ...kernels,
      weighKernel(mode, score, batch, exampleLoss, weights),
      totalKernel(b.traits, exampleLoss, state.loss),
    ],
    vjp(back) {
      if (!back.wants(states)) return;
      back.contribute(states, {
        kind: 'add',
        make(addend) {
          const dx = back.tensor(`d ${states.name}`, states.rows, states.cols);
          const rowWeight = back.tensor('loss.rowWeight', states.rows, 1);
          const chunks = chunksOf(back, head, columns);
          const between: Tensor[] = [];
          const own = chunks.flatMap((chunk, i) => {
            const again = logitsOf(back, chunk, head);
            const down = backToStates(back, chunk, head, dx, i === 0 ? addend : undefined);
            between.push(chunk.logits, ...again.scratch, ...down.scratch);
            const { logits, first } = chunk;
            return [
              ...again.kernels,
              ...gradientKernels(logits, lse, batch, weights, rowWeight, logits, {
                first,
                capped: cap === undefined ? undefined : { cap, picked },
              }),
              ...down.kernels,
            ];
          });
          back.record({
            op: 'chunked_loss',
            inputs: [
              ...inputsOf(head),
              lse,
              weights,
              ...(cap === undefined ? [] : [picked]),
              batch.terms,
              batch.rows,
              ...(addend ? [addend] : []),
            ],
            outputs: [dx, rowWeight, ...distinct(between)],
            kernels: [rowWeightKernel(states, batch, weights, rowWeight), ...own],
          });
          return dx;
        },
      });
    },
  });
  return { score, exampleLoss };
}

/** Forward only: score_c of every candidate, [C, 1], as `scoreSequences` of the logits. */
export function chunkedScoreSequences(
  b: Builder,
  head: Head,
  batch: Pick<LossInputs, 'terms' | 'candidates'>,
  columns: number,
): Tensor {
  const { kernels, scratch, lse, score, picked } = chunkedScores(b, head, batch, columns);
  b.record({
    op: 'chunked_scores',
    inputs: [...inputsOf(head), batch.terms, batch.candidates],
    outputs: [score, lse, picked, ...scratch],
    kernels,
  });
  return score;
}
