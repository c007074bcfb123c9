import { expandWgsl } from '../../gpu/index.ts';
import { type Dims, f32, grid, type Kernel, type KernelTraits, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import { sumKernel } from '../reduce/reduce.ts';
import joinWgsl from './lse_join.wgsl?raw';
import partWgsl from './lse_part.wgsl?raw';
import { scoreSequencesOnnx, sequenceLossBackwardOnnx, sequenceLossOnnx } from './onnx.ts';
import type { LossInputs } from './pack.ts';
import rowWeightWgsl from './row_weight.wgsl?raw';
import scoreWgsl from './score.wgsl?raw';
import softmaxWgsl from './softmax_part.wgsl?raw';
import termWgsl from './term_part.wgsl?raw';
import weighWgsl from './weigh.wgsl?raw';

/**
 * `vocabulary`: cross-entropy of the right label's tokens over the whole vocabulary (Lester et al. 2021).
 * `verbalizers`: cross-entropy of the right label among the labels, by the probability of their token sequences.
 */
export type LossMode = 'vocabulary' | 'verbalizers';

export interface LossSettings {
  mode: LossMode;
  /** False lets the backward pass overwrite the logits with their gradient; then nobody may read them after the loss. */
  keepLogits: boolean;
}

/**
 * The loss of label sequences.
 *
 *     score_c = sum over terms k of c of log softmax(logits[row_k])[token_k]
 *     vocabulary:   loss_e = -score_target                     w_target = -scale
 *     verbalizers:  loss_e = -log softmax(scores of e)[target]  w_c = scale (softmax(scores of e)_c - 1[c = target])
 *     loss (+)= scale * sum of loss_e
 *     dlogits[n, v] = sum over terms k of row n of w_c(k) (1[v = token_k] - softmax(logits[n])_v)
 *
 * logits [N, V]. `state.loss` [1, 1] of kind `state`. Scalars of `Dims`: `lossScale` (1 / label tokens of the whole batch, or
 * 1 / examples) and `accumulate` (1 adds to the loss of earlier micro-batches). An example without target counts 0.
 */
export function sequenceLoss(
  b: Builder,
  logits: Tensor,
  batch: LossInputs,
  settings: LossSettings,
  state: { loss: Tensor },
): { score: Tensor; exampleLoss: Tensor } {
  const { lse, kernels, scratch } = logSumExp(b, logits);
  const score = b.tensor('loss.score', batch.candidates.rows, 1);
  const weight = b.tensor('loss.weight', batch.candidates.rows, 1);
  const exampleLoss = b.tensor('loss.example', batch.examples.rows, 1);
  b.record({
    op: 'sequence_loss',
    inputs: [logits, batch.terms, batch.candidates, batch.examples, state.loss],
    outputs: [state.loss, score, exampleLoss, weight, lse, ...scratch],
    kernels: [
      ...kernels,
      scoreKernel(logits, lse, batch, score),
      weighKernel(settings.mode, score, batch, exampleLoss, weight),
      totalKernel(b.traits, exampleLoss, state.loss),
    ],
    onnx: (e) => sequenceLossOnnx(e, logits, batch, settings.mode, state.loss),
    vjp(back) {
      if (!back.wants(logits)) return;
      const rowWeight = back.tensor('loss.rowWeight', logits.rows, 1);
      const dlogits = settings.keepLogits
        ? back.tensor(`d ${logits.name}`, logits.rows, logits.cols)
        : logits;
      back.record({
        op: 'sequence_loss',
        inputs: [logits, lse, weight, batch.terms, batch.rows],
        outputs: [dlogits, rowWeight],
        kernels: [
          rowWeightKernel(logits, batch, weight, rowWeight),
          ...gradientKernels(logits, lse, batch, weight, rowWeight, dlogits),
        ],
        onnx: (e) => sequenceLossBackwardOnnx(e, logits, batch, settings.mode, dlogits),
      });
      back.contribute(logits, { kind: 'pass', tensor: dlogits });
    },
  });
  return { score, exampleLoss };
}

/** Forward only: score_c of every candidate, [C, 1]. */
export function scoreSequences(
  b: Builder,
  logits: Tensor,
  batch: Pick<LossInputs, 'terms' | 'candidates'>,
): Tensor {
  const { lse, kernels, scratch } = logSumExp(b, logits);
  const score = b.tensor('score', batch.candidates.rows, 1);
  b.record({
    op: 'score_sequences',
    inputs: [logits, batch.terms, batch.candidates],
    outputs: [score, lse, ...scratch],
    kernels: [...kernels, scoreKernel(logits, lse, batch, score)],
    onnx: (e) => scoreSequencesOnnx(e, logits, batch, score),
  });
  return score;
}

/** Columns of a row that one unit of work reduces: few enough rows still keep a GPU busy. */
export const CHUNK_COLUMNS = 8192;

/** lse [N, 2]: the largest logit m of each row, and log sum exp(x - m). */
function logSumExp(b: Builder, logits: Tensor): { lse: Tensor; kernels: Kernel[]; scratch: Tensor[] } {
  const chunks = Math.ceil(logits.cols / CHUNK_COLUMNS);
  const lse = b.tensor('loss.lse', logits.rows, 2);
  if (chunks === 1) return { lse, scratch: [], kernels: [lsePart(b.traits, logits, lse, CHUNK_COLUMNS)] };
  const parts = b.tensor('loss.lseParts', logits.rows, 2 * chunks);
  return {
    lse,
    scratch: [parts],
    kernels: [lsePart(b.traits, logits, parts, CHUNK_COLUMNS), lseJoin(parts, lse)],
  };
}

/** Into parts [N, 2 * places] from place `first` on, for chunks of `chunkColumns` (a multiple of 4) columns. */
export function lsePart(
  traits: KernelTraits,
  logits: Tensor,
  parts: Tensor,
  chunkColumns: number,
  first = 0,
): Kernel {
  const vector = logits.cols % 4 === 0;
  const chunks = Math.ceil(logits.cols / chunkColumns);
  const units = traits.rowLanes === 1 ? 4 : 1;
  return {
    name: 'sequence_loss/lse',
    code: expandWgsl(partWgsl, {
      VECTOR: vector,
      V: vector ? 'vec4f' : 'f32',
      WIDTH: vector ? logits.cols / 4 : logits.cols,
      CHUNK: vector ? chunkColumns / 4 : chunkColumns,
      CHUNKS: chunks,
      LANES: traits.rowLanes,
      UNITS: units,
    }),
    buffers: [
      { tensor: logits, access: 'read' },
      { tensor: parts, access: 'read_write' },
    ],
    uniforms: [u32(logits.rows), u32(parts.cols / 2), u32(first)],
    workgroups: (dims) => grid(size(dims, logits.rows) * chunks, units),
    cost: (dims) => ({
      flops: 3 * size(dims, logits.rows) * logits.cols,
      bytes: 4 * size(dims, logits.rows) * logits.cols,
    }),
  };
}

export function lseJoin(parts: Tensor, lse: Tensor): Kernel {
  return {
    name: 'sequence_loss/lse_join',
    code: expandWgsl(joinWgsl, { CHUNKS: parts.cols / 2 }),
    buffers: [
      { tensor: parts, access: 'read' },
      { tensor: lse, access: 'read_write' },
    ],
    uniforms: [u32(lse.rows)],
    workgroups: (dims) => grid(size(dims, lse.rows), 64),
    cost: (dims) => ({
      flops: 2 * size(dims, lse.rows) * parts.cols,
      bytes: 4 * size(dims, lse.rows) * parts.cols,
    }),
  };
}

/** `logits`: [N, V], or [K, 1] of the K terms where they are `picked`. */
export function scoreKernel(
  logits: Tensor,
  lse: Tensor,
  batch: Pick<LossInputs, 'terms' | 'candidates'>,
  score: Tensor,
  picked = false,
): Kernel {
  return {
    name: 'sequence_loss/score',
    code: expandWgsl(scoreWgsl, { COLUMNS: logits.cols, PICKED: picked }),
    buffers: [
      { tensor: logits, access: 'read' },
      { tensor: lse, access: 'read' },
      { tensor: batch.terms, access: 'read' },
      { tensor: batch.candidates, access: 'read' },
      { tensor: score, access: 'read_write' },
    ],
    uniforms: [u32(score.rows)],
    workgroups: (dims) => grid(size(dims, score.rows), 64),
    cost: (dims) => ({
      flops: 3 * size(dims, batch.terms.rows),
      bytes: 28 * size(dims, batch.terms.rows) + 12 * size(dims, score.rows),
    }),
  };
}

export function weighKernel(
  mode: LossMode,
  score: Tensor,
  batch: LossInputs,
  exampleLoss: Tensor,
  weight: Tensor,
): Kernel {
  return {
    name: 'sequence_loss/weigh',
    code: expandWgsl(weighWgsl, { VERBALIZERS: mode === 'verbalizers' }),
    buffers: [
      { tensor: score, access: 'read' },
      { tensor: batch.examples, access: 'read' },
      { tensor: exampleLoss, access: 'read_write' },
      { tensor: weight, access: 'read_write' },
    ],
    uniforms: [u32(exampleLoss.rows), f32('lossScale')],
    workgroups: (dims) => grid(size(dims, exampleLoss.rows), 64),
    cost: (dims) => ({
      flops: 6 * size(dims, score.rows),
      bytes: 8 * size(dims, score.rows) + 16 * size(dims, exampleLoss.rows),
    }),
  };
}

/** What both kernels that walk over the terms of each row share. */
function perRow(logits: Tensor, batch: LossInputs, weight: Tensor) {
  const buffers: Kernel['buffers'] = [
    { tensor: batch.terms, access: 'read' },
    { tensor: batch.rows, access: 'read' },
    { tensor: weight, access: 'read' },
  ];
  return {
    buffers,
    workgroups: (dims: Dims) => grid(size(dims, logits.rows), 64),
    cost: (dims: Dims) => ({
      flops: size(dims, batch.terms.rows),
      bytes: 40 * size(dims, batch.terms.rows) + 12 * size(dims, logits.rows),
    }),
  };
}

/** rowWeight [N, 1]: sum of the weights of each row's terms. */
export function rowWeightKernel(
  logits: Tensor,
  batch: LossInputs,
  weight: Tensor,
  rowWeight: Tensor,
): Kernel {
  const { buffers, ...rest } = perRow(logits, batch, weight);
  return {
    name: 'sequence_loss/row_weight',
    code: expandWgsl(rowWeightWgsl, {}),
    buffers: [...buffers, { tensor: rowWeight, access: 'read_write' }],
    uniforms: [u32(logits.rows)],
    ...rest,
  };
}

export const totalKernel = (traits: KernelTraits, exampleLoss: Tensor, loss: Tensor): Kernel => ({
  ...sumKernel(traits, exampleLoss, loss, { scale: f32('lossScale'), accumulate: u32('accumulate') }),
  name: 'sequence_loss/total',
});

/** Columns of the vocabulary that lie in one tensor. */
export interface LogitColumns {
  /** The first of them. */
  first: number;
  /** Where they were drawn towards a cap: that, and the [K, 1] logits of the terms. The gradient is then that of what was drawn. */
  capped?: { cap: number; picked: Tensor };
}

/** Writes dlogits, which may be the logits themselves. */
export function gradientKernels(
  logits: Tensor,
  lse: Tensor,
  batch: LossInputs,
  weight: Tensor,
  rowWeight: Tensor,
  dlogits: Tensor,
  { first, capped }: LogitColumns = { first: 0 },
): Kernel[] {
  const vector = logits.cols % 4 === 0;
  const width = vector ? logits.cols / 4 : logits.cols;
  const inPlace = dlogits === logits;
  const { buffers: termsByRow, ...rest } = perRow(logits, batch, weight);
  const cap = { CAPPED: capped !== undefined, CAP: (capped?.cap ?? 1).toExponential() };
  return [
    {
      name: 'sequence_loss/softmax_part',
      code: expandWgsl(softmaxWgsl, {
        V: vector ? 'vec4f' : 'f32',
        WIDTH: width,
        INPLACE: inPlace,
        ...cap,
      }),
      buffers: [
        { tensor: lse, access: 'read' },
        { tensor: rowWeight, access: 'read' },
        { tensor: dlogits, access: 'read_write' },
        ...(inPlace ? [] : [{ tensor: logits, access: 'read' as const }]),
      ],
      uniforms: [u32(logits.rows)],
      workgroups: (dims) => grid(size(dims, logits.rows) * width, 64),
      cost: (dims) => ({
        flops: 4 * size(dims, logits.rows) * logits.cols,
        bytes: 8 * size(dims, logits.rows) * logits.cols,
      }),
    },
    {
      name: 'sequence_loss/term_part',
      code: expandWgsl(termWgsl, cap),
      buffers: [
        ...termsByRow,
        { tensor: dlogits, access: 'read_write' },
        ...(capped ? [{ tensor: capped.picked, access: 'read' as const }] : []),
      ],
      uniforms: [u32(logits.rows), u32(logits.cols), u32(first)],
      ...rest,
    },
  ];
}
