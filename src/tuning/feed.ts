import { makeTensor, type Program } from '../graph/index.ts';
import {
  type Builder,
  type Dims,
  type LossInputs,
  lossInputs,
  packTerms,
  type Tensor,
} from '../kernels/index.ts';
import type {
  CausalBatch,
  CausalModel,
  Decoded,
  FrozenModel,
  PromptInput,
  Seq2SeqBatch,
  Seq2SeqModel,
} from '../models/index.ts';
import { type BatchExample, type PackedExample, packBatch, packedSize, planAnswers } from './batch.ts';
import { type CausalShape, causalSizes, packCausal } from './causal.ts';

/**
 * How examples come into a model of either kind: its batch inputs as tensors whose rows are named sizes, how many rows examples
 * take, and the packing that fills the inputs of a program.
 */
export interface Feed<Batch = Seq2SeqBatch | CausalBatch> {
  batch: Batch;
  loss: LossInputs;
  /** Logits of the label rows [N, V], and the residual stream that enters each layer (an encoder's layers first). */
  forward(b: Builder, prompt: PromptInput): Pick<Decoded, 'logits' | 'layers' | 'head'>;
  /** Rows that a batch of some of these examples takes once, and rows that each adds. */
  sizes(examples: readonly BatchExample[]): { once: Dims; each(example: BatchExample): Dims };
  /** Packs examples and writes them into the inputs of a program. */
  write(program: Sink, examples: readonly BatchExample[]): Written;
  /** The question for the token after `answer`: its last label row predicts it. */
  continued(answer: readonly number[], ids: readonly number[]): Pick<BatchExample, 'ids' | 'answers'>;
}

/** What takes a packed batch: a program of either engine. */
export type Sink = Pick<Program, 'write'>;

export interface Written {
  /** Sizes to run the program with. */
  dims: Dims;
  /** Where the labels went, by example. */
  examples: PackedExample[];
  /** Rows that the model computes. */
  tokens: number;
}

export function makeFeed(model: FrozenModel): Feed {
  return model.kind === 'seq2seq' ? seq2seqFeed(model) : causalFeed(model);
}

type Arrays<Batch> = { [name in keyof Batch]: Uint32Array<ArrayBuffer> };

/** The inputs of a batch: columns and size name of each. */
function makeInputs<Batch extends object>(
  shapes: { [name in keyof Batch]: [rows: string, cols: number] },
): Batch {
  return Object.fromEntries(
    Object.entries<[string, number]>(shapes).map(([name, [rows, cols]]) => [
      name,
      makeTensor('input', name, rows, cols, 'u32'),
    ]),
  ) as Batch;
}

function writePacked<Batch extends object>(
  program: Sink,
  batch: Batch,
  loss: LossInputs,
  packed: Arrays<Batch> & { dims: Dims; examples: PackedExample[] },
): Omit<Written, 'tokens'> {
  for (const name of Object.keys(batch) as (keyof Batch & string)[])
    program.write(batch[name] as Tensor, packed[name]);
  const terms = packTerms(
    packed.examples.map(({ candidates, target }) => ({
      candidates,
      target: target < 0 ? undefined : target,
    })),
    packed.dims.N,
  );
  for (const name of ['terms', 'rows', 'candidates', 'examples'] as const)
    program.write(loss[name], terms[name]);
  return { dims: { ...packed.dims, ...terms.sizes }, examples: packed.examples };
}

const makeLossInputs = (): LossInputs =>
  lossInputs((name, rows, cols) => makeTensor('input', name, rows, cols, 'u32'));

/** Rows of the label sequences. */
const termSizes = ({ answers }: BatchExample): Dims => ({
  E: 1,
  C: answers.candidates.length,
  K: answers.candidates.reduce((sum, tokens) => sum + tokens.length, 0),
});

export function seq2seqFeed(model: Seq2SeqModel): Feed<Seq2SeqBatch> {
  const batch = makeInputs<Seq2SeqBatch>({
    ids: ['T', 1],
    promptRow: ['S', 1],
    encoderQueryRanges: ['T', 4],
    encoderKeyRanges: ['T', 4],
    decoderIds: ['D', 1],
    decoderQueryRanges: ['D', 4],
    decoderKeyRanges: ['D', 4],
    crossQueryRanges: ['D', 4],
    crossKeyRanges: ['T', 4],
    labelRow: ['N', 1],
    labelOfRow: ['D', 1],
  });
  const loss = makeLossInputs();
  return {
    batch,
    loss,
    forward(b, prompt) {
      const encoded = model.encode(b, batch, prompt);
      const decoded = model.decode(b, batch, encoded.states);
      return { ...decoded, layers: [...encoded.layers, ...decoded.layers] };
    },
    sizes: () => ({
      once: {},
      each(example) {
        const { T, D } = packedSize(example);
        return { T, D, N: D, S: 1, ...termSizes(example) };
      },
    }),
    continued: (answer, ids) => ({ ids, answers: planAnswers([[...answer, 0]]) }),
    write(program, examples) {
      const packed = packBatch(examples, model.info.startId);
      const { T, D } = packed.dims;
      return { ...writePacked(program, batch, loss, packed), tokens: T + D };
    },
  };
}

export function causalFeed(model: CausalModel): Feed<CausalBatch> {
  const batch = makeInputs<CausalBatch>({
    ids: ['T', 1],
    promptRow: ['S', 1],
    positions: ['T', 1],
    queryRanges: ['T', 4],
    keyRanges: ['T', 4],
    windowQueryRanges: ['T', 4],
    windowKeyRanges: ['T', 4],
    labelRow: ['N', 1],
    labelOfRow: ['T', 1],
    labelPositions: ['N', 1],
    labelQueryRanges: ['N', 4],
    labelKeyRanges: ['T', 4],
  });
  const loss = makeLossInputs();
  const shape: CausalShape = { window: model.window, maxPositions: model.info.maxPositions };
  return {
    batch,
    loss,
    forward: (b, prompt) => model.forward(b, batch, prompt),
    sizes(examples) {
      const { once, each } = causalSizes(examples, shape);
      return { once, each: (example) => ({ ...each(example), ...termSizes(example) }) };
    },
    continued: (answer, ids) => ({ ids: [...ids, ...answer], answers: planAnswers([[0]]) }),
    write(program, examples) {
      const packed = packCausal(examples, shape);
      return { ...writePacked(program, batch, loss, packed), tokens: packed.dims.T };
    },
  };
}

/** Logits of each target token [tokens, V], example by example, of those of the label rows [N, V]. */
export function targetLogits(
  all: Float32Array,
  examples: readonly PackedExample[],
  width: number,
): Float32Array {
  const rows = examples.flatMap(({ candidates, target }) => candidates[target]?.rows ?? []);
  const chosen = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    chosen.set(all.subarray(row * width, (row + 1) * width), i * width);
  });
  return chosen;
}

/** Label rows that predict the token after the one answer of each example. */
export const lastLabelRows = (examples: readonly PackedExample[]): number[] =>
  examples.map(({ candidates: [{ rows }] }) => rows[rows.length - 1]);

/** Largest sizes that any `count` of these examples can need together; at least one of each. */
export function capacityFor(feed: Feed, examples: Iterable<BatchExample>, count: number): Dims {
  const all = [...examples];
  const { once, each } = feed.sizes(all);
  const most: Record<string, number> = {};
  for (const example of all)
    for (const [name, rows] of Object.entries(each(example))) most[name] = Math.max(most[name] ?? 0, rows);
  return Object.fromEntries(
    Object.entries(most).map(([name, rows]) => [name, Math.max(1, (once[name] ?? 0) + rows * count)]),
  );
}

/** Cuts a list of examples into batches that stay within a program's capacity. */
export function cutBatches(feed: Feed, examples: readonly BatchExample[], capacity: Dims): BatchExample[][] {
  const { once, each } = feed.sizes(examples);
  const batches: BatchExample[][] = [];
  let used: Record<string, number> = {};
  for (const example of examples) {
    const own = Object.entries(each(example));
    const fits = own.every(([name, rows]) => (used[name] ?? 0) + rows <= capacity[name]!);
    if (!fits || batches.length === 0) {
      batches.push([]);
      used = { ...once };
    }
    batches[batches.length - 1]!.push(example);
    for (const [name, rows] of own) used[name] = (used[name] ?? 0) + rows;
  }
  return batches;
}
