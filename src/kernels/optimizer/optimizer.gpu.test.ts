import { describe, expect, test } from 'vitest';
import { type Dims, type Kernel, size, type Tensor } from '../kernel.ts';
import {
  allTraits,
  expectClose,
  randomValues,
  recordingBuilder,
  runKernels,
  type TestData,
  testTensor,
} from '../testing.ts';
import { adafactor } from './adafactor.ts';
import { adamw, sgd } from './elementwise.ts';
import { type Leaf, type OptimizerRule, optimize, STAT, STAT_COLUMNS } from './optimizer.ts';
import {
  adafactorReference,
  adamwReference,
  clipReference,
  type ReferenceLeaf,
  sgdReference,
} from './reference.ts';

interface Case {
  name: string;
  rule: OptimizerRule;
  reference(leaf: ReferenceLeaf, scalars: Record<string, number>): void;
  scalars: Record<string, number>;
}

const adafactorCase = (name: string, factored: boolean, decayTimesRate: boolean): Case => ({
  name,
  rule: adafactor({ factored, decayTimesRate }),
  reference: (leaf, h) => adafactorReference(leaf, h, { factored, decayTimesRate }),
  scalars: { learningRate: 0.3, weightDecay: 1e-5, decayRate: 0.8, clipThreshold: 1 },
});
const cases: Case[] = [
  adafactorCase('adafactor', false, false),
  adafactorCase('adafactor_factored', true, false),
  adafactorCase('adafactor_hf', true, true),
  {
    name: 'adamw',
    rule: adamw,
    reference: adamwReference,
    scalars: { learningRate: 0.05, weightDecay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  },
  { name: 'sgd_momentum', rule: sgd, reference: sgdReference, scalars: { learningRate: 2, momentum: 0.9 } },
];

/** A parameter with its states, as tensors. */
function leafOf(rule: OptimizerRule, rows: number, cols: number, name = 'p'): Leaf {
  const states = Object.entries(rule.states(rows, cols)).map(([state, [r, c]]) => [
    state,
    testTensor(`${name}.${state}`, r, c, 'state'),
  ]);
  return {
    parameter: testTensor(name, rows, cols, 'state'),
    gradient: testTensor(`d ${name}`, rows, cols, 'state'),
    states: Object.fromEntries(states),
  };
}
const zeros = (rule: OptimizerRule, rows: number, cols: number): Record<string, Float64Array> =>
  Object.fromEntries(
    Object.entries(rule.states(rows, cols)).map(([state, [r, c]]) => [state, new Float64Array(r * c)]),
  );

/** The kernels of a step, but for step `t` and with this gradient, so that one run holds many steps. */
const atStep = (kernels: Kernel[], t: number, from: Tensor, gradient: Tensor): Kernel[] =>
  kernels.map((kernel) => ({
    ...kernel,
    buffers: kernel.buffers.map((b) => (b.tensor === from ? { ...b, tensor: gradient } : b)),
    uniforms: kernel.uniforms.map((u) => ({ ...u, value: (dims: Dims) => u.value({ ...dims, step: t }) })),
  }));

const lossTensor = testTensor('loss', 1, 1, 'state');
const statsTensor = testTensor('stats', 1, STAT_COLUMNS, 'state');

describe.each(allTraits)('%s', (_, traits) => {
  describe.each(cases)('$name', ({ rule, reference, scalars }) => {
    test.each([
      [1, 1, 0],
      [3, 7, 0],
      [20, 131, 4],
      [130, 40, 0.5],
    ])('%i x %i, clip norm %f: three steps equal float64', async (rows, cols, clipNorm) => {
      const leaf = leafOf(rule, rows, cols);
      const b = recordingBuilder(traits);
      optimize(b, rule, [leaf], lossTensor, statsTensor);
      const start = randomValues(rows * cols, 1);
      const gradients = [2, 3, 4].map((seed) => randomValues(rows * cols, seed, seed / 2));
      const tensors = gradients.map((_g, i) => testTensor(`g${i}`, rows, cols));
      const kernels = gradients.flatMap((_g, i) =>
        atStep(b.nodes[0].kernels, i + 1, leaf.gradient, tensors[i]),
      );
      const exact: ReferenceLeaf = {
        rows,
        cols,
        p: Float64Array.from(start),
        g: [],
        states: zeros(rule, rows, cols),
      };
      gradients.forEach((g, i) => {
        exact.g = clipReference(g, clipNorm);
        reference(exact, { ...scalars, step: i + 1 });
      });
      const names = Object.keys(leaf.states);
      const [p, stats, ...states] = await runKernels(
        kernels,
        { ...scalars, clipNorm },
        new Map<Tensor, TestData>([
          [leaf.parameter, start],
          [lossTensor, Float32Array.of(1.5)],
          ...tensors.map((t, i): [Tensor, TestData] => [t, gradients[i]]),
        ]),
        [leaf.parameter, statsTensor, ...names.map((n) => leaf.states[n])],
      );
      expectClose(p, exact.p, 2e-6);
      names.forEach((name, i) => {
        expectClose(states[i], exact.states[name], 2e-6);
      });
      const norm = Math.sqrt(gradients[2].reduce((sum, g) => sum + g * g, 0));
      expect(stats[STAT.gradientNorm] / norm).toBeCloseTo(1, 5);
      expect(stats[STAT.clipFactor]).toBeCloseTo(clipNorm > 0 ? Math.min(1, clipNorm / norm) : 1, 5);
      expect([stats[STAT.skipped], stats[STAT.loss]]).toEqual([0, 1.5]);
    });
  });
});

describe.each(cases)('$name', ({ name, rule, scalars }) => {
  const leaf = leafOf(rule, 10, 40);
  const b = recordingBuilder({ rowLanes: 64 });
  optimize(b, rule, [leaf], lossTensor, statsTensor);
  const [{ kernels }] = b.nodes;

  test.each([
    ['a NaN in the gradient', 1, Number.NaN],
    ['an infinity in the gradient', 1, Number.NEGATIVE_INFINITY],
    ['a loss that is not a number', Number.NaN, 1],
    ['an infinite loss', Number.POSITIVE_INFINITY, 1],
  ])('%s changes nothing but the flag', async (_, loss, entry) => {
    const names = Object.keys(leaf.states);
    const held = new Map(
      names.map((n, i) => [n, randomValues(sizeOf(leaf.states[n]), 10 + i).map(Math.abs)]),
    );
    const start = randomValues(400, 1);
    const gradient = randomValues(400, 2);
    gradient[399] = entry;
    const [p, stats, ...states] = await runKernels(
      kernels,
      { ...scalars, step: 5, clipNorm: 1 },
      new Map<Tensor, TestData>([
        [leaf.parameter, start],
        [leaf.gradient, gradient],
        [lossTensor, Float32Array.of(loss)],
        ...names.map((n): [Tensor, TestData] => [leaf.states[n], held.get(n)!]),
      ]),
      [leaf.parameter, statsTensor, ...names.map((n) => leaf.states[n])],
    );
    expect(stats[STAT.skipped]).toBe(1);
    expect(p).toEqual(start);
    names.forEach((n, i) => {
      expect(states[i]).toEqual(held.get(n));
    });
  });

  test('no gradient at all is harmless', async () => {
    const [p] = await runKernels(
      kernels,
      { ...scalars, weightDecay: 0, step: 1, clipNorm: 1 },
      new Map<Tensor, TestData>([[leaf.parameter, randomValues(400, 1)]]),
      [leaf.parameter],
    );
    expect(p).toEqual(randomValues(400, 1));
  });

  test('follows PyTorch for 30 steps (t5-v1.1, reference trajectories)', async () => {
    const golden = await readTensors(name);
    const tensors = Array.from({ length: 30 }, (_, i) => testTensor(`g${i}`, 10, 40));
    for (const steps of [1, 2, 5, 10, 30]) {
      const [p] = await runKernels(
        tensors.slice(0, steps).flatMap((g, i) => atStep(kernels, i + 1, leaf.gradient, g)),
        { ...scalars, clipNorm: 0 },
        new Map<Tensor, TestData>([
          [leaf.parameter, golden('prompt.0')],
          ...tensors.map((g, i): [Tensor, TestData] => [g, golden('grads').slice(400 * i, 400 * (i + 1))]),
        ]),
        [leaf.parameter],
      );
      expectClose(p, golden(`prompt.${steps}`), 3e-6);
    }
  });
});

test('two leaves are clipped by their common norm', async () => {
  const leaves = [leafOf(sgd, 3, 4, 'a'), leafOf(sgd, 2, 5, 'b')];
  const b = recordingBuilder({ rowLanes: 1 });
  optimize(b, sgd, leaves, lossTensor, statsTensor);
  const gradients = [randomValues(12, 1), randomValues(10, 2)];
  const [a, c, stats] = await runKernels(
    b.nodes[0].kernels,
    { learningRate: 1, momentum: 0.9, step: 1, clipNorm: 0.25 },
    new Map(leaves.map((leaf, i) => [leaf.gradient, gradients[i]])),
    [leaves[0].parameter, leaves[1].parameter, statsTensor],
  );
  const clipped = clipReference([...gradients[0], ...gradients[1]], 0.25).map((v) => -v);
  expectClose([...a, ...c], clipped, 1e-6);
  expect(stats[STAT.clipFactor]).toBeLessThan(0.2);
});

const sizeOf = (tensor: Tensor) => size({}, tensor.rows) * tensor.cols;

/** The float tensors of a reference file. */
async function readTensors(name: string): Promise<(tensor: string) => Float32Array> {
  const files = import.meta.glob<string>('./testdata/*.safetensors', {
    query: '?url',
    import: 'default',
    eager: true,
  });
  const bytes = await (await fetch(files[`./testdata/t5-v1.1-${name}.safetensors`])).arrayBuffer();
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  return (tensor) => {
    const [from, to] = header[tensor].data_offsets;
    return new Float32Array(bytes.slice(8 + length + from, 8 + length + to));
  };
}
