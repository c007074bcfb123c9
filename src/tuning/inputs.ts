import { makeTensor, type Program } from '../graph/index.ts';
import { type Dims, type LossInputs, lossInputs, packTerms } from '../kernels/index.ts';
import type { Seq2SeqBatch } from '../models/index.ts';
import { type BatchExample, packBatch, packedSize } from './batch.ts';

/** The batch inputs of a program, as tensors whose rows are named sizes. */
export interface BatchInputs extends Seq2SeqBatch {
  loss: LossInputs;
}

export function makeBatchInputs(): BatchInputs {
  const u32 = (name: string, rows: string, cols: number) => makeTensor('input', name, rows, cols, 'u32');
  return {
    ids: u32('ids', 'T', 1),
    promptRow: u32('prompt rows', 'S', 1),
    encoderQueryRanges: u32('encoder query ranges', 'T', 4),
    encoderKeyRanges: u32('encoder key ranges', 'T', 4),
    decoderIds: u32('decoder ids', 'D', 1),
    decoderQueryRanges: u32('decoder query ranges', 'D', 4),
    decoderKeyRanges: u32('decoder key ranges', 'D', 4),
    crossQueryRanges: u32('cross query ranges', 'D', 4),
    crossKeyRanges: u32('cross key ranges', 'T', 4),
    labelRow: u32('label rows', 'N', 1),
    labelOfRow: u32('label of row', 'D', 1),
    loss: lossInputs((name, rows, cols) => makeTensor('input', name, rows, cols, 'u32')),
  };
}

const SEQ2SEQ_INPUTS = [
  'ids',
  'promptRow',
  'encoderQueryRanges',
  'encoderKeyRanges',
  'decoderIds',
  'decoderQueryRanges',
  'decoderKeyRanges',
  'crossQueryRanges',
  'crossKeyRanges',
  'labelRow',
  'labelOfRow',
] as const satisfies (keyof Seq2SeqBatch)[];

/** Packs examples and writes them into the inputs of a program, of either engine. @returns the sizes to run it with. */
export function writeBatch(
  program: Pick<Program, 'write'>,
  inputs: BatchInputs,
  examples: readonly BatchExample[],
  startId: number,
): Dims {
  const packed = packBatch(examples, startId);
  for (const name of SEQ2SEQ_INPUTS) program.write(inputs[name], packed[name]);
  const terms = packTerms(
    packed.examples.map(({ candidates, target }) => ({
      candidates,
      target: target < 0 ? undefined : target,
    })),
    packed.dims.N,
  );
  for (const name of ['terms', 'rows', 'candidates', 'examples'] as const)
    program.write(inputs.loss[name], terms[name]);
  return { ...packed.dims, ...terms.sizes };
}

/** Largest sizes that any `count` of these examples can need together. */
export function capacityFor(examples: Iterable<BatchExample>, count: number): Dims {
  const most = { T: 1, D: 1, N: 1, K: 1, C: 1 };
  for (const example of examples) {
    const { T, D } = packedSize(example);
    most.T = Math.max(most.T, T);
    most.D = Math.max(most.D, D);
    most.N = Math.max(most.N, D);
    most.K = Math.max(
      most.K,
      example.answers.candidates.reduce((sum, tokens) => sum + tokens.length, 0),
    );
    most.C = Math.max(most.C, example.answers.candidates.length);
  }
  return {
    T: most.T * count,
    S: count,
    D: most.D * count,
    N: most.N * count,
    K: most.K * count,
    C: most.C * count,
    E: count,
  };
}

/** Cuts a list of examples into batches that stay within a program's capacity. */
export function cutBatches(examples: readonly BatchExample[], capacity: Dims): BatchExample[][] {
  const batches: BatchExample[][] = [];
  let used: Record<string, number> = {};
  for (const example of examples) {
    const { T, D } = packedSize(example);
    const own = {
      T,
      D,
      N: D,
      S: 1,
      E: 1,
      C: example.answers.candidates.length,
      K: example.answers.candidates.reduce((sum, tokens) => sum + tokens.length, 0),
    };
    const fits = Object.entries(own).every(([name, rows]) => (used[name] ?? 0) + rows <= capacity[name]);
    if (!fits || batches.length === 0) {
      batches.push([]);
      used = {};
    }
    batches[batches.length - 1].push(example);
    for (const [name, rows] of Object.entries(own)) used[name] = (used[name] ?? 0) + rows;
  }
  return batches;
}
