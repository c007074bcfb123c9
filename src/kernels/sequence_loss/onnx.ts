import type { Tensor } from '../kernel.ts';
import { type OnnxBatch, type OnnxEmitter, type OnnxFeed, type OnnxValue, scalarFeed } from '../onnx.ts';
import { type LossInputs, NO_TARGET } from './pack.ts';
import type { LossMode } from './sequence_loss.ts';

/** Lists of different lengths as one table, padded with `filler`; and 1 where a place is taken. */
function table(lists: readonly (readonly number[])[], filler: number) {
  const width = Math.max(1, ...lists.map((list) => list.length));
  const data = new Int32Array(lists.length * width).fill(filler);
  const taken = new Float32Array(lists.length * width);
  lists.forEach((list, i) => {
    data.set(list, i * width);
    taken.fill(1, i * width, i * width + list.length);
  });
  return { data, taken, shape: [lists.length, width] };
}

/** The batch's label sequences, read back from what the shaders get. */
function termsOf(batch: OnnxBatch, inputs: Pick<LossInputs, 'terms' | 'candidates'>) {
  const terms = batch.read(inputs.terms);
  const candidates = batch.read(inputs.candidates);
  const count = candidates.length / 2;
  return Array.from({ length: count }, (_, c) =>
    Array.from({ length: candidates[2 * c + 1] - candidates[2 * c] }, (_, i) => {
      const at = 4 * (candidates[2 * c] + i);
      return { row: terms[at], token: terms[at + 1] };
    }),
  );
}

function examplesOf(batch: OnnxBatch, inputs: LossInputs) {
  const examples = batch.read(inputs.examples);
  return Array.from({ length: examples.length / 3 }, (_, e) => {
    const [first, end, target] = examples.subarray(3 * e, 3 * e + 3);
    const candidates = Array.from({ length: end - first }, (_, i) => first + i);
    return { candidates, target: target === NO_TARGET ? undefined : target };
  });
}

/** log softmax(logits) [N, V], shared by scores and gradient. */
const logProbabilities = (e: OnnxEmitter, logits: Tensor): OnnxValue =>
  e.once(`log softmax of ${logits.id}`, () => e.node('LogSoftmax', [e.value(logits)], { axis: -1 }));

/** [C]: score of each candidate. */
function scores(e: OnnxEmitter, logits: Tensor, inputs: Pick<LossInputs, 'terms' | 'candidates'>): OnnxValue {
  const places: OnnxFeed = {
    name: 'candidate terms',
    origin: { tensor: inputs.terms, part: 'candidate terms' },
    dtype: 'i32',
    shape: ['C', 'longest candidate', 2],
    compute(batch) {
      const lists = termsOf(batch, inputs);
      const width = Math.max(1, ...lists.map((list) => list.length));
      const data = new Int32Array(lists.length * width * 2);
      for (const [c, list] of lists.entries())
        for (const [i, { row, token }] of list.entries()) data.set([row, token], 2 * (c * width + i));
      return { data, shape: [lists.length, width, 2] };
    },
  };
  const taken: OnnxFeed = {
    name: 'candidate terms taken',
    origin: { tensor: inputs.terms, part: 'candidate terms taken' },
    dtype: 'f32',
    shape: ['C', 'longest candidate'],
    compute(batch) {
      const { taken, shape } = table(
        termsOf(batch, inputs).map((list) => list.map(({ row }) => row)),
        0,
      );
      return { data: taken, shape };
    },
  };
  return e.once(`scores of ${logits.id}`, () => {
    // GatherND counts in 64 bits only.
    const at = e.node('Cast', [e.feed(places)], { to: 7 });
    const terms = e.node('GatherND', [logProbabilities(e, logits), at]);
    const own = e.node('Mul', [terms, e.feed(taken)]);
    return e.node('ReduceSum', [own, e.i64([1])], { keepdims: 0 });
  });
}

export function scoreSequencesOnnx(
  e: OnnxEmitter,
  logits: Tensor,
  inputs: Pick<LossInputs, 'terms' | 'candidates'>,
  score: Tensor,
): void {
  e.set(score, e.node('Reshape', [scores(e, logits, inputs), e.i64([-1, 1])]));
}

/** Loss of the batch, and d loss / d score of each candidate [C]. */
function lossAndWeights(e: OnnxEmitter, logits: Tensor, inputs: LossInputs, mode: LossMode) {
  return e.once(`loss of ${logits.id}`, () => {
    const score = scores(e, logits, inputs);
    const scale = e.feed(scalarFeed('lossScale'));
    const total = (x: OnnxValue) =>
      e.node('Reshape', [e.node('Neg', [e.node('ReduceSum', [x], { keepdims: 0 })]), e.i64([1, 1])]);
    if (mode === 'vocabulary') {
      const target = e.feed({
        name: 'right candidates',
        origin: { tensor: inputs.terms, part: 'right candidates' },
        dtype: 'f32',
        shape: ['C'],
        compute(batch) {
          const data = new Float32Array(batch.read(inputs.candidates).length / 2);
          for (const { target } of examplesOf(batch, inputs)) if (target !== undefined) data[target] = 1;
          return { data, shape: [data.length] };
        },
      });
      const share = e.node('Mul', [target, scale]);
      return { loss: total(e.node('Mul', [score, share])), weight: e.node('Neg', [share]) };
    }
    const byExample = (batch: OnnxBatch) =>
      table(
        examplesOf(batch, inputs).map(({ candidates }) => candidates),
        0,
      );
    const own = e.feed({
      name: 'candidates of examples',
      origin: { tensor: inputs.terms, part: 'candidates of examples' },
      dtype: 'i32',
      shape: ['E', 'most candidates'],
      compute: (batch) => byExample(batch),
    });
    const hidden = e.feed({
      name: 'candidates of examples mask',
      origin: { tensor: inputs.terms, part: 'candidates of examples mask' },
      dtype: 'f32',
      shape: ['E', 'most candidates'],
      compute(batch) {
        const { taken, shape } = byExample(batch);
        return { data: taken.map((yes) => (yes ? 0 : -1e30)), shape };
      },
    });
    const right = e.feed({
      name: 'right candidates of examples',
      origin: { tensor: inputs.terms, part: 'right candidates of examples' },
      dtype: 'f32',
      shape: ['E', 'most candidates'],
      compute(batch) {
        const { data, shape } = byExample(batch);
        const rightOnes = new Float32Array(data.length);
        examplesOf(batch, inputs).forEach(({ candidates, target }, i) => {
          if (target !== undefined) rightOnes[i * shape[1] + target - candidates[0]] = 1;
        });
        return { data: rightOnes, shape };
      },
    });
    // Where each candidate stands in that table.
    const place = e.feed({
      name: 'place of candidates',
      origin: { tensor: inputs.terms, part: 'place of candidates' },
      dtype: 'i32',
      shape: ['C'],
      compute(batch) {
        const { shape } = byExample(batch);
        const places = examplesOf(batch, inputs).flatMap(({ candidates }, i) =>
          candidates.map((_, c) => i * shape[1] + c),
        );
        return { data: Int32Array.from(places), shape: [places.length] };
      },
    });
    const grouped = e.node('Add', [e.node('Gather', [score, own], { axis: 0 }), hidden]);
    const logs = e.node('LogSoftmax', [grouped], { axis: -1 });
    const counted = e.node('ReduceSum', [right, e.i64([1])], { keepdims: 1 });
    const difference = e.node('Sub', [e.node('Mul', [e.node('Exp', [logs]), counted]), right]);
    const flat = e.node('Reshape', [e.node('Mul', [difference, scale]), e.i64([-1])]);
    return {
      loss: total(e.node('Mul', [e.node('Mul', [logs, right]), scale])),
      weight: e.node('Gather', [flat, place], { axis: 0 }),
    };
  });
}

export function sequenceLossOnnx(
  e: OnnxEmitter,
  logits: Tensor,
  inputs: LossInputs,
  mode: LossMode,
  loss: Tensor,
): void {
  e.set(loss, lossAndWeights(e, logits, inputs, mode).loss);
}

/** (row, token) pairs of the batch, each once, with the candidates that have it. */
function uniqueTerms(batch: OnnxBatch, inputs: LossInputs) {
  const found = new Map<string, { row: number; token: number; candidates: number[] }>();
  termsOf(batch, inputs).forEach((list, c) => {
    for (const { row, token } of list) {
      const key = `${row} ${token}`;
      const known = found.get(key);
      if (known) known.candidates.push(c);
      else found.set(key, { row, token, candidates: [c] });
    }
  });
  return [...found.values()];
}

/**
 * dlogits = sum of w (1[token] - softmax): the softmax scaled by each row's sum of weights, and at each pair of row and token its
 * own weights. A pair stands once, so that the result does not depend on the order of threads.
 */
export function sequenceLossBackwardOnnx(
  e: OnnxEmitter,
  logits: Tensor,
  inputs: LossInputs,
  mode: LossMode,
  dlogits: Tensor,
): void {
  const { weight } = lossAndWeights(e, logits, inputs, mode);
  const padded = e.node('Concat', [weight, e.f32([0], [1])], { axis: 0 });
  /** Sums of the weights that each list names; the place behind the last candidate is 0. */
  const sums = (
    name: string,
    lists: (batch: OnnxBatch) => number[][],
    shape: (string | number)[],
    keepdims: number,
  ) => {
    const index = e.feed({
      name,
      origin: { tensor: inputs.terms, part: name },
      dtype: 'i32',
      shape,
      compute: (batch) => table(lists(batch), batch.read(inputs.candidates).length / 2),
    });
    return e.node('ReduceSum', [e.node('Gather', [padded, index], { axis: 0 }), e.i64([1])], { keepdims });
  };
  const rowWeight = sums(
    'candidates of rows',
    (batch) => {
      const lists = Array.from({ length: batch.read(inputs.rows).length / 2 }, (): number[] => []);
      termsOf(batch, inputs).forEach((list, c) => {
        for (const { row } of list) lists[row].push(c);
      });
      return lists;
    },
    [logits.rows, 'most terms of a row'],
    1,
  );
  const pairWeight = sums(
    'candidates of terms',
    (batch) => uniqueTerms(batch, inputs).map(({ candidates }) => candidates),
    ['terms', 'most candidates of a term'],
    0,
  );
  const pairs = e.feed({
    name: 'terms',
    origin: { tensor: inputs.terms, part: 'terms' },
    dtype: 'i32',
    shape: ['terms', 2],
    compute(batch) {
      const unique = uniqueTerms(batch, inputs);
      return {
        data: Int32Array.from(unique.flatMap(({ row, token }) => [row, token])),
        shape: [unique.length, 2],
      };
    },
  });
  const softmax = e.node('Exp', [logProbabilities(e, logits)]);
  const spread = e.node('Mul', [softmax, e.node('Neg', [rowWeight])]);
  const at = e.node('Cast', [pairs], { to: 7 });
  e.set(dlogits, e.node('ScatterND', [spread, at, pairWeight], { reduction: 'add' }));
}
