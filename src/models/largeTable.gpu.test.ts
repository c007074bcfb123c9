/**
 * A token table of 140 MiB on a device that binds 128 MiB at most, as WebGPU guarantees: it goes up in two pieces, rows are gathered
 * from both, and both products with it, loss and gradient are those of float64. Few of its rows are not zero, so that this takes seconds.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBuffers, createPipelines, openGpu, readBuffer } from '../gpu/index.ts';
import {
  beginSubmission,
  buildProgram,
  createGraph,
  freePersistent,
  makeTensor,
  type Session,
  upload,
} from '../graph/index.ts';
import {
  chunkedSequenceLoss,
  embed,
  linear,
  lossInputs,
  PROMPT_ROW,
  packTerms,
  sequenceLoss,
  type Tensor,
} from '../kernels/index.ts';
import { expectClose, randomValues, relativeError } from '../kernels/testing.ts';
import type { WeightFile } from '../weights/index.ts';
import { collectFrozen } from './frozen.ts';
import { uploadFrozen } from './load.ts';

const WIDTH = 64;
const VOCABULARY = (140 * 2 ** 20) / (4 * WIDTH);
const PIECE = VOCABULARY / 2;
/** The rows that are not zero: the first and last of both pieces, and their neighbours, among them. */
const WORDS = [0, 1, 77_777, PIECE - 1, PIECE, PIECE + 1, 444_444, VOCABULARY - 2, VOCABULARY - 1];
const ALPHA = 0.8;
const LENGTH = 2;
const ids = Uint32Array.of(
  PROMPT_ROW,
  PROMPT_ROW + 1,
  ...[PIECE - 1, PIECE, VOCABULARY - 1, 0, 5, PIECE + 5],
);
const candidates = [
  { tokens: [PIECE, VOCABULARY - 1, 1], rows: [0, 1, 2] },
  { tokens: [PIECE - 1, 444_444], rows: [0, 1] },
];

const rows = randomValues(WORDS.length * WIDTH, 1, 0.3);
const prompt = randomValues(LENGTH * WIDTH, 2, 0.5);
const wordRow = (word: number): Float32Array => {
  const at = WORDS.indexOf(word);
  return at < 0 ? new Float32Array(WIDTH) : rows.subarray(at * WIDTH, (at + 1) * WIDTH);
};
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
};

/** The slow clear version, in float64: all columns but those of WORDS have a logit of 0 and no row to give a gradient. */
function reference() {
  const states = [...ids].map((id) =>
    id >= PROMPT_ROW
      ? prompt.subarray((id - PROMPT_ROW) * WIDTH, (id - PROMPT_ROW + 1) * WIDTH)
      : wordRow(id),
  );
  const logits = states.map((state) => WORDS.map((word) => ALPHA * dot(state, wordRow(word))));
  const lse = logits.map((row) =>
    Math.log(row.reduce((sum, z) => sum + Math.exp(z), VOCABULARY - WORDS.length)),
  );
  const scores = candidates.map(({ tokens, rows: at }) =>
    tokens.reduce((sum, token, i) => sum + logits[at[i]!]![WORDS.indexOf(token)]! - lse[at[i]!]!, 0),
  );
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - scores[0]!), 0)) + scores[0]!;
  const weights = scores.map((score, c) => Math.exp(score - total) - (c === 0 ? 1 : 0));
  const gradient = new Float64Array(LENGTH * WIDTH);
  candidates.forEach(({ tokens, rows: at }, c) => {
    tokens.forEach((token, i) => {
      const row = at[i]!;
      if (row >= LENGTH) return;
      WORDS.forEach((word, w) => {
        const slope =
          weights[c]! * ((word === token ? 1 : 0) - Math.exp(logits[row]![w]! - lse[row]!)) * ALPHA;
        wordRow(word).forEach((value, d) => {
          gradient[row * WIDTH + d]! += slope * value;
        });
      });
    });
  });
  return { states, logits, scores, loss: total - scores[0]!, gradient };
}

let session: Session;
let table: Tensor;

beforeAll(async () => {
  const gpu = await openGpu({ defaultLimits: true });
  session = { gpu, pipelines: createPipelines(gpu), buffers: createBuffers(gpu), persistent: new Map() };
  const shape = [VOCABULARY, WIDTH];
  const values = new Float32Array(VOCABULARY * WIDTH);
  for (const word of WORDS) values.set(wordRow(word), word * WIDTH);
  const bytes = new Uint8Array(values.buffer);
  const info = {
    name: 'shared',
    dtype: 'F32' as const,
    shape,
    byteOffset: 0,
    byteLength: bytes.byteLength,
  };
  const file: WeightFile = {
    format: 'safetensors',
    name: 'large.safetensors',
    tensors: new Map([['shared', info]]),
    metadata: {},
    read: async () => bytes,
  };
  const frozen = collectFrozen({
    get: () => info,
    has: () => true,
    precision: 'stored',
    bindingBytes: gpu.limits.maxStorageBufferBindingSize,
  });
  table = frozen.vocabulary('shared', 'shared', VOCABULARY, WIDTH);
  await uploadFrozen(session, { frozen: frozen.list }, file);
}, 60_000);
afterAll(() => session.gpu.close());

describe('a token table of 140 MiB where 128 MiB can be bound', () => {
  test('has two pieces, and could not be one', () => {
    expect(session.gpu.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
    expect(table.pieces?.map((piece) => piece.rows)).toEqual([PIECE, PIECE]);
    const whole = makeTensor('weight', 'whole', VOCABULARY, WIDTH);
    expect(() => upload(session, whole, new Float32Array(VOCABULARY * WIDTH))).toThrow(
      /whole needs 146800640 bytes in one buffer; this device allows 134217728/,
    );
  });

  test.each([
    ['logits held whole', undefined],
    ['logits in chunks', 131_072],
  ])('gathers, products, loss and gradient equal float64, %s', async (_, columns) => {
    const T = ids.length;
    const promptRows = makeTensor('state', 'prompt', LENGTH, WIDTH);
    const into = makeTensor('state', 'prompt gradient', LENGTH, WIDTH);
    const loss = makeTensor('state', 'loss', 1, 1);
    const [idsTensor, promptRow] = ['ids', 'promptRow'].map((name, i) =>
      makeTensor('input', name, i ? 1 : T, 1, 'u32'),
    );
    upload(session, promptRows, Float32Array.from(prompt));
    const inputs = lossInputs((name, r, c) => makeTensor('input', name, r, c, 'u32'), T);
    const packed = packTerms([{ candidates, target: 0 }], T);
    const graph = createGraph({ rowLanes: session.gpu.adapter.software ? 1 : 64 }, [promptRows]);
    const states = embed(graph, idsTensor!, table, {
      name: 'states',
      prompt: promptRows,
      gradient: { into, promptRow: promptRow! },
    });
    let logits: Tensor | undefined;
    const mode = 'verbalizers';
    let score: Tensor;
    if (columns)
      ({ score } = chunkedSequenceLoss(
        graph,
        { states, weight: table, alpha: ALPHA },
        inputs,
        mode,
        { loss },
        columns,
      ));
    else {
      logits = linear(graph, states, table, { name: 'logits', alpha: ALPHA });
      ({ score } = sequenceLoss(graph, logits, inputs, { mode, keepLogits: true }, { loss }));
    }
    graph.backward(loss);
    const kept = [states, score, ...(logits ? [logits] : [])];
    const program = await buildProgram(session, graph.nodes, { capacity: packed.sizes, kept });
    program.write(idsTensor!, ids);
    program.write(promptRow!, Uint32Array.of(0));
    for (const name of ['terms', 'rows', 'candidates', 'examples'] as const)
      program.write(inputs[name], packed[name]);
    const submission = beginSubmission(session);
    program.record(submission, { ...packed.sizes, lossScale: 1, accumulate: 0 });
    submission.submit();
    const read = async (tensor: Tensor, count: number) =>
      new Float32Array(await readBuffer(session.gpu, program.buffer(tensor), 4 * count));

    const expected = reference();
    const gotStates = await read(states, T * WIDTH);
    expect([...gotStates]).toEqual(expected.states.flatMap((row) => [...row]));
    if (logits) {
      const got = await read(logits, T * VOCABULARY);
      expectClose(
        expected.logits.flatMap((row, t) => row.map((_, w) => got[t * VOCABULARY + WORDS[w]!]!)),
        expected.logits.flat(),
        1e-5,
      );
      const others = expected.logits.flat().filter((z) => z === 0).length + T * (VOCABULARY - WORDS.length);
      expect(got.reduce((zeros, z) => zeros + Number(z === 0), 0)).toBe(others);
    }
    expectClose(await read(score, candidates.length), expected.scores, 1e-5);
    const [gotLoss] = await read(loss, 1);
    expect(relativeError([gotLoss!], [expected.loss])).toBeLessThan(1e-5);
    expect(Math.hypot(...expected.gradient)).toBeGreaterThan(0.1);
    expectClose(await read(into, LENGTH * WIDTH), expected.gradient, 1e-5);
    program.destroy();
    freePersistent(session, [promptRows, into, loss]);
  });
});
