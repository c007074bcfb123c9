/**
 * The chunked output layer and loss against the whole ones: same loss, scores and gradient, whatever the format, the pieces, the bias and
 * the cap. It needs the graph: a gradient behind views of a weight is only bound by a program.
 */
import { describe, expect, test } from 'vitest';
import { createBuffers, readBuffer } from '../../gpu/index.ts';
import {
  beginSubmission,
  buildProgram,
  createGraph,
  livingNodes,
  makeTensor,
  planMemory,
  upload,
} from '../../graph/index.ts';
import {
  type Builder,
  chunkedScoreSequences,
  chunkedSequenceLoss,
  type Dtype,
  headChunk,
  type KernelTraits,
  type LossMode,
  linear,
  lossInputs,
  packTerms,
  scoreSequences,
  sequenceLoss,
  softCap,
  type Tensor,
} from '../index.ts';
import { allTraits, randomValues, relativeError, testGpu, testPipelines } from '../testing.ts';

const ROWS = 6;
const WIDTH = 32;
/** Two whole chunks of 512 and a rest that is no multiple of four. */
const V = 1027;
const examples: Parameters<typeof packTerms>[0] = [
  {
    candidates: [
      { tokens: [1], rows: [0] },
      // One token in each chunk, the first and last of all among them.
      { tokens: [0, 511, 512, 1026], rows: [0, 1, 2, 3] },
    ],
    target: 1,
  },
  { candidates: [{ tokens: [1025, 1025], rows: [4, 4] }], target: 0 },
  {
    candidates: [
      { tokens: [700], rows: [5] },
      { tokens: [3], rows: [5] },
    ],
  },
];

interface Setup {
  mode: LossMode;
  dtype?: Dtype;
  pieces?: number;
  biased?: boolean;
  cap?: number;
}

async function run(traits: KernelTraits, setup: Setup, columns?: number) {
  const { mode, dtype = 'f32', pieces = 1, biased, cap } = setup;
  const gpu = await testGpu();
  const session = {
    gpu,
    pipelines: testPipelines(gpu),
    buffers: createBuffers(gpu),
    persistent: new Map(),
  };
  const whole = randomValues(V * WIDTH, 3, 0.3);
  const rows = pieces === 1 ? [V] : [260, V - 260];
  const parts = rows.map((count, i) => makeTensor('weight', `head ${i}`, count, WIDTH, dtype));
  const weight: Tensor =
    pieces === 1 ? parts[0]! : { ...makeTensor('weight', 'head', V, WIDTH, dtype), pieces: parts };
  let first = 0;
  for (const part of parts) {
    const count = part.rows as number;
    const values = whole.slice(first * WIDTH, (first + count) * WIDTH);
    upload(session, part, dtype === 'f16' ? Uint16Array.from(values, toHalf) : Float32Array.from(values));
    first += count;
  }
  const states = makeTensor('state', 'states', ROWS, WIDTH);
  const bias = biased ? makeTensor('weight', 'bias', 1, V) : undefined;
  if (bias) upload(session, bias, Float32Array.from(randomValues(V, 5, 1)));
  const loss = makeTensor('state', 'loss', 1, 1);
  upload(session, states, Float32Array.from(randomValues(ROWS * WIDTH, 4, 1)));
  upload(session, loss, Float32Array.of(0.5));
  const inputs = lossInputs((name, r, c) => makeTensor('input', name, r, c, 'u32'), ROWS);
  const packed = packTerms(examples, ROWS);
  const dims = { ...packed.sizes, lossScale: 0.25, accumulate: 1 };

  const head = { states, weight, alpha: 0.7, bias, cap };
  const wholeLogits = (b: Builder): Tensor => {
    const logits = linear(b, states, weight, { name: 'logits', alpha: 0.7, bias });
    return cap ? softCap(b, logits, cap) : logits;
  };
  const graph = createGraph(traits, [states]);
  if (columns) chunkedSequenceLoss(graph, head, inputs, mode, { loss }, columns);
  else sequenceLoss(graph, wholeLogits(graph), inputs, { mode, keepLogits: false }, { loss });
  const dstates = graph.backward(loss).get(states)!;
  const reading = createGraph(traits);
  const scores = columns
    ? chunkedScoreSequences(reading, head, inputs, columns)
    : scoreSequences(reading, wholeLogits(reading), inputs);

  const outputs: Float32Array[] = [];
  for (const [nodes, kept] of [
    [graph.nodes, [dstates]],
    [reading.nodes, [scores]],
  ] as const) {
    const program = await buildProgram(session, nodes, { capacity: packed.sizes, kept: [...kept] });
    for (const name of ['terms', 'rows', 'candidates', 'examples'] as const)
      program.write(inputs[name], packed[name]);
    const submission = beginSubmission(session);
    program.record(submission, dims);
    submission.submit();
    const bytes = kept[0] === scores ? 4 * packed.sizes.C : 4 * ROWS * WIDTH;
    outputs.push(new Float32Array(await readBuffer(gpu, program.buffer(kept[0]!), bytes)));
    program.destroy();
  }
  const [total] = new Float32Array(await readBuffer(gpu, session.persistent.get(loss)!, 4));
  return { loss: total!, gradient: outputs[0]!, scores: outputs[1]! };
}

const toHalf = (value: number): number => {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  const sign = (bits! >>> 16) & 0x8000;
  const exponent = ((bits! >>> 23) & 0xff) - 112;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits! >>> 13) & 0x3ff);
};

describe.each(allTraits)('%s', (_, traits) => {
  test.each<[string, Setup]>([
    ['plain', { mode: 'vocabulary' }],
    ['a cap', { mode: 'verbalizers', cap: 2 }],
    ['halves and a bias', { mode: 'verbalizers', dtype: 'f16', biased: true }],
    ['two pieces, a bias and a cap', { mode: 'vocabulary', pieces: 2, biased: true, cap: 2 }],
  ])('chunks of 512 equal the whole: %s', async (_, setup) => {
    const whole = await run(traits, setup);
    const chunked = await run(traits, setup, 512);
    expect(Math.hypot(...whole.gradient)).toBeGreaterThan(1e-3);
    expect(relativeError([chunked.loss], [whole.loss])).toBeLessThan(1e-6);
    expect(relativeError(chunked.scores, whole.scores)).toBeLessThan(1e-6);
    expect(relativeError(chunked.gradient, whole.gradient)).toBeLessThan(5e-6);
  });
});

test('a vocabulary of 256k under long targets is never held whole', () => {
  const N = 512;
  const traits: KernelTraits = { rowLanes: 64, capacity: { N, K: 2 * N, C: 8, E: 4 } };
  const vocabulary = 262_144;
  const states = makeTensor('state', 'states', 'N', 64);
  const head = { states, weight: makeTensor('weight', 'head', vocabulary, 64) };
  const columns = headChunk(traits, head)!;
  const loss = makeTensor('state', 'loss', 1, 1);
  const graph = createGraph(traits, [states]);
  const inputs = lossInputs((name, r, c) => makeTensor('input', name, r, c, 'u32'), 'N');
  chunkedSequenceLoss(graph, head, inputs, 'vocabulary', { loss }, columns);
  graph.backward(loss);
  const plan = planMemory(livingNodes(graph.nodes, []), traits.capacity!);
  expect(plan.bytes).toBeLessThan((4 * N * vocabulary) / 8);
  // Where they are small they are held: recomputing them would cost a product for nothing.
  expect(headChunk({ ...traits, capacity: { N: 32 } }, head)).toBeUndefined();
});
