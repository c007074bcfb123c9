/** The engine without a GPU as a whole, on the smallest built-in model: learning, reading, and the file that others run. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FrozenModel, makeModel } from '../../models/index.ts';
import type { OnnxRuntime } from '../../onnx/index.ts';
import { expectClose, noise, testRuntime } from '../../onnx/testing.ts';
import { bytesSource, openSafetensors, type WeightFile } from '../../weights/index.ts';
import { type BatchExample, planAnswers } from '../batch.ts';
import { adafactorDefaults } from '../recipe.ts';
import type { LearnerSettings } from '../trainingGraph.ts';
import { exportOnnx } from './export.ts';
import { createOnnxLearner } from './learner.ts';
import { compareLearners, differenceOf } from './opinion.ts';
import { createOnnxScorer } from './scorer.ts';

const LENGTH = 3;

const published = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../public/models/tiny/${name}`, import.meta.url)));

let ort: OnnxRuntime;
let model: FrozenModel;
let weights: WeightFile;
let prompt: Float32Array<ArrayBuffer>;
beforeAll(async () => {
  ort = await testRuntime();
  weights = await openSafetensors(
    bytesSource(new Uint8Array(published('model.safetensors')), 'model.safetensors'),
  );
  model = makeModel(JSON.parse(published('config.json').toString()), weights);
  prompt = noise(LENGTH * model.info.width, 5, 3);
});

const examples: BatchExample[] = [
  [5, 9, 11, 1],
  [8, 1],
  [30, 31, 32, 33, 34, 1],
].map((ids, i) => ({
  ids,
  prompt: { first: 0, count: LENGTH },
  answers: planAnswers([
    [20, 1],
    [20, 21, 1],
    [22 + i, 1],
  ]),
  target: i,
}));
const all = [0, 1, 2];
const settings: LearnerSettings = {
  length: LENGTH,
  loss: 'vocabulary',
  optimizer: adafactorDefaults,
  clipNorm: 0,
  keepLogits: true,
};
const learner = (more: Partial<LearnerSettings> = {}, values = prompt, microBatch = all.length) =>
  createOnnxLearner(ort, model, weights, { ...settings, ...more }, examples, values, microBatch);

describe('learning without a GPU', () => {
  test('the loss is the mean of the scores, the gradient its slope', async () => {
    const own = await learner();
    const { loss, finite, gradNorm, scene } = await own.step(1, all, { scene: true });
    const gradient = await own.readGradient();
    expect(finite).toBe(true);
    expect(gradNorm).toBeCloseTo(Math.hypot(...gradient), 4);
    expect(scene?.tokenGrad.length).toBe(LENGTH);
    expect(scene?.tokenMoved).toEqual(new Float32Array(LENGTH));
    expect(scene?.encoderGrad.every((norm) => norm > 0)).toBe(true);
    own.destroy();

    const scorer = await createOnnxScorer(ort, model, weights);
    const lossAt = async (values: Float32Array<ArrayBuffer>) => {
      const scores = await scorer.score(
        examples.map(({ ids, answers }) => ({
          ids,
          answers,
          prompt: { kind: 'values', length: LENGTH, values },
        })),
      );
      const tokens = examples.reduce((sum, e) => sum + e.answers.candidates[e.target].length, 0);
      return -scores.reduce((sum, own, i) => sum + own[examples[i].target], 0) / tokens;
    };
    expect(await lossAt(prompt)).toBeCloseTo(loss, 5);
    const direction = noise(prompt.length, 6);
    const moved = (by: number) => prompt.map((value, i) => value + by * direction[i]);
    const slope = ((await lossAt(moved(0.02))) - (await lossAt(moved(-0.02)))) / 0.04;
    expect(gradient.reduce((sum, g, i) => sum + g * direction[i], 0) / slope).toBeCloseTo(1, 2);
    scorer.destroy();
  });

  test.each(['vocabulary', 'verbalizers'] as const)('gathered over micro-batches: %s', async (loss) => {
    const [whole, parts] = [await learner({ loss }), await learner({ loss }, prompt, 1)];
    const a = await whole.step(1, all, { scene: false });
    const b = await parts.step(1, all, { scene: false });
    expect(b.loss).toBeCloseTo(a.loss, 5);
    expectClose(await parts.readGradient(), await whole.readGradient(), 1e-5);
    whole.destroy();
    parts.destroy();
  });

  test('steps asked for at once wait for their turn, and a run goes on from its state', async () => {
    const own = await learner();
    const started = [1, 2, 3].map((step) => own.step(step, all, { scene: false }));
    const losses = (await Promise.all(started)).map(({ loss }) => loss);
    expect(losses[2]).toBeLessThan(losses[0]);
    const after = await own.readState();
    const fourth = await own.step(4, all, { scene: false });
    own.writeState(after);
    expect((await own.step(4, all, { scene: false })).loss).toBe(fourth.loss);

    const other = await learner();
    other.writeState(after);
    expect((await other.step(4, all, { scene: false })).loss).toBe(fourth.loss);
    expect((await other.readState()).prompt).toEqual((await own.readState()).prompt);
    own.destroy();
    other.destroy();
  });
});

describe('the way out', () => {
  test('an exported model gives the same logits over padded rows, with the prompt built in or as an input', async () => {
    const own = await learner();
    await own.step(1, all, { scene: false });
    const wanted = await own.readLogits();
    own.destroy();
    const answers = examples.map((e) => e.answers.candidates[e.target]);
    const grid = (rows: number[][], fill: number) => {
      const width = Math.max(...rows.map((row) => row.length));
      const data = rows.flatMap((row) => [...row, ...new Array<number>(width - row.length).fill(fill)]);
      return new ort.Tensor('int64', BigInt64Array.from(data, BigInt), [rows.length, width]);
    };
    const feeds = {
      input_ids: grid(
        examples.map(({ ids }) => [...ids]),
        0,
      ),
      attention_mask: grid(
        examples.map(({ ids }) => ids.map(() => 1)),
        0,
      ),
      decoder_input_ids: grid(
        answers.map((tokens) => [model.info.startId, ...tokens.slice(0, -1)]),
        0,
      ),
    };
    for (const builtIn of [true, false]) {
      const files = await exportOnnx(model, weights, {
        ...(builtIn ? { prompt } : {}),
        weightsBeside: builtIn,
      });
      expect(files.map(({ name }) => name)).toEqual(
        builtIn ? ['model.onnx', 'model.onnx.data'] : ['model.onnx'],
      );
      const [file, beside] = files.map(({ parts }) => new Uint8Array(Buffer.concat(parts)));
      const session = await ort.InferenceSession.create(file!, {
        externalData: beside ? [{ path: 'model.onnx.data', data: beside }] : [],
      });
      const { logits } = await session.run(
        builtIn ? feeds : { ...feeds, prompt: new ort.Tensor('float32', prompt, [LENGTH, model.info.width]) },
      );
      const [, width, V] = logits.dims;
      const values = logits.data as Float32Array;
      const rows = answers.flatMap((tokens, b) =>
        tokens.flatMap((_, j) => Array.from(values.subarray((b * width + j) * V, (b * width + j + 1) * V))),
      );
      expectClose(rows, wanted, 1e-5);
      await session.release();
    }
  });
});

describe('a second opinion', () => {
  test('of itself, an engine has no doubts; of another prompt, it says how far', async () => {
    const [a, same, other] = [
      await learner(),
      await learner(),
      await learner(
        {},
        prompt.map((v) => v + 0.1),
      ),
    ];
    const agreed = await compareLearners(a, same, all);
    expect([agreed.loss.largest, agreed.logits.largest, agreed.gradient.largest]).toEqual([0, 0, 0]);
    expect(agreed.logits.count % model.info.vocabSize).toBe(0);
    const b = await learner();
    const apart = await compareLearners(other, b, all);
    expect(apart.logits.relative).toBeGreaterThan(1e-3);
    for (const one of [a, same, other, b]) one.destroy();
  });

  test('what is not a number is as far apart as can be', () => {
    expect(differenceOf([1, Number.NaN], [1, 2]).largest).toBe(Number.POSITIVE_INFINITY);
    expect(differenceOf([1, -3], [2, -4])).toEqual({ largest: 1, magnitude: 4, relative: 0.25, count: 2 });
    expect(() => differenceOf([1], [1, 2])).toThrow('1 values are compared with 2');
  });
});
