import { afterAll, describe, expect, test } from 'vitest';
import { openGpu } from '../gpu/index.ts';
import { createSession, type Session } from '../graph/index.ts';
import { type FrozenModel, makeModel, traitsOf, uploadFrozen } from '../models/index.ts';
import { relativeBucket } from '../models/t5.ts';
import { bytesSource, openSafetensors, toFloat32, type WeightFile } from '../weights/index.ts';
import { planAnswers } from './batch.ts';
import { createScorer, cutByBank, type PromptSource, type ScoreExample, type Scorer } from './scorer.ts';

const files = import.meta.glob<string>('../models/testdata/models/{t5,llama,gemma2}/model.safetensors', {
  query: '?url',
  import: 'default',
  eager: true,
});
const configs = import.meta.glob<Record<string, number>>('../models/testdata/models/*/config.json', {
  import: 'default',
  eager: true,
});

let opened: Promise<Session> | undefined;
afterAll(async () => (await opened)?.gpu.close());

async function open(name: string): Promise<{
  model: FrozenModel;
  weights: WeightFile;
  config: Record<string, number>;
  scorer: Scorer;
}> {
  opened ??= openGpu().then((gpu) => createSession(gpu));
  const session = await opened;
  const response = await fetch(files[`../models/testdata/models/${name}/model.safetensors`]!);
  const weights = await openSafetensors(bytesSource(new Uint8Array(await response.arrayBuffer()), name));
  const config = configs[`../models/testdata/models/${name}/config.json`]!;
  const model = makeModel(config, weights);
  await uploadFrozen(session, model, weights);
  return { model, weights, config, scorer: createScorer(session, traitsOf(session.gpu), model) };
}

const promptOf = (length: number, width: number, seed = 1): PromptSource => ({
  kind: 'values',
  length,
  values: Float32Array.from({ length: length * width }, (_, i) => Math.sin(seed * 7 + i * 1.7)),
});

/** The share of a row's attention that goes to the prompt, for each query and head. */
const shares = ({ count, weights }: { count: number; weights: Float32Array }, P: number, heads: number) =>
  Array.from({ length: count * heads }, (_, at) => {
    const [i, h] = [Math.floor(at / heads), at % heads];
    let sum = 0;
    for (let p = 0; p < P; p++) sum += weights[(i * P + p) * heads + h]!;
    return sum;
  });

describe('attention to the virtual tokens', () => {
  test('T5: the encoder’s first layer, from the published weights in float64', async () => {
    const { model, weights, config, scorer } = await open('t5');
    const { width, heads } = model.info;
    const P = 4;
    const ids = [5, 9, 3, 17, 1];
    const prompt = promptOf(P, width);
    const blocks = await scorer.attend!({ ids, prompt, answers: planAnswers([[4, 1]]) });
    expect(blocks.map(({ of, layers }) => [of, layers.length])).toEqual([
      ['encoder', model.info.layers[0]],
      ['cross', model.info.layers[1]],
    ]);

    const read = async (name: string) =>
      toFloat32(await weights.read(name), weights.tensors.get(name)!.dtype);
    const embedding = await read('shared.weight');
    const layer = 'encoder.block.0.layer.0';
    const norm = await read(`${layer}.layer_norm.weight`);
    const bias = await read(`${layer}.SelfAttention.relative_attention_bias.weight`);
    const rows = Array.from({ length: P + ids.length }, (_, t) => {
      const row = Array.from({ length: width }, (_, j) =>
        t < P && prompt.kind === 'values'
          ? prompt.values[t * width + j]!
          : embedding[ids[t - P]! * width + j]!,
      );
      const scale = 1 / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / width + model.info.eps);
      return row.map((x, j) => x * scale * norm[j]!);
    });
    const project = async (w: string) => {
      const matrix = await read(`${layer}.SelfAttention.${w}.weight`);
      return rows.map((row) =>
        Array.from({ length: matrix.length / width }, (_, o) =>
          row.reduce((sum, x, j) => sum + x * matrix[o * width + j]!, 0),
        ),
      );
    };
    const [q, k] = [await project('q'), await project('k')];
    const dim = q[0]!.length / heads;
    const expected: number[] = [];
    for (let i = P; i < rows.length; i++) {
      const byHead = Array.from({ length: heads }, (_, h) => {
        const scores = k.map((key, j) => {
          let score = 0;
          for (let d = 0; d < dim; d++) score += q[i]![h * dim + d]! * key[h * dim + d]!;
          const bucket = relativeBucket(
            j - i,
            true,
            config.relative_attention_num_buckets ?? 32,
            config.relative_attention_max_distance ?? 128,
          );
          return Math.exp(score + bias[bucket * heads + h]!);
        });
        const sum = scores.reduce((a, b) => a + b, 0);
        return scores.map((score) => score / sum);
      });
      for (let p = 0; p < P; p++) for (const head of byHead) expected.push(head[p]!);
    }
    const got = blocks[0]!.layers[0]!;
    expect([got.first, got.count]).toEqual([0, ids.length]);
    expect(got.weights).toHaveLength(expected.length);
    expected.forEach((weight, at) => {
      expect(Math.abs(got.weights[at]! - weight)).toBeLessThan(2e-5);
    });
    // The start token and the answer’s first token ask in every layer; no share is more than all.
    for (const cross of blocks[1]!.layers) {
      expect(cross.count).toBe(2);
      for (const share of shares(cross, P, heads)) expect(share > 0 && share < 1).toBe(true);
    }
    scorer.destroy();
  });

  test.each(['llama', 'gemma2'])('%s: causal, the last layer asks for label rows alone', async (name) => {
    const { model, scorer } = await open(name);
    const { width, heads, layers } = model.info;
    const P = 3;
    const ids = [5, 9, 3, 17];
    const [block] = await scorer.attend!({
      ids,
      prompt: promptOf(P, width),
      answers: planAnswers([[4, 7]]),
    });
    expect(block!.of).toBe('causal');
    expect(block!.layers.map(({ first, count }) => [first, count])).toEqual([
      ...Array.from({ length: layers[1] - 1 }, () => [0, 5]),
      [3, 2],
    ]);
    for (const layer of block!.layers)
      for (const share of shares(layer, P, heads)) expect(share > 0 && share < 1.00001).toBe(true);
    scorer.destroy();
  });
});

describe('several prompts in one batch', () => {
  test.each(['t5', 'llama'])('%s: prompts of one length, each its own answers, in one pass', async (name) => {
    const { model, scorer } = await open(name);
    const answers = planAnswers([[4], [7, 2]]);
    const examples: ScoreExample[] = Array.from({ length: 6 }, (_, i) => ({
      ids: [5, 9, 3 + i],
      prompt: promptOf(20, model.info.width, i),
      answers,
    }));
    const passes: { examples: number; prompts: number; rows: number }[] = [];
    const together = await scorer.score(examples, undefined, (pass) => passes.push(pass));
    expect(passes).toHaveLength(1);
    expect(passes[0]).toMatchObject({ examples: 6, prompts: 6 });
    expect(passes[0]!.rows).toBeGreaterThanOrEqual(6 * 23);
    for (const [i, example] of examples.entries()) {
      const [alone] = await scorer.score([example]);
      alone!.forEach((value, c) => {
        expect(together[i]![c]).toBeCloseTo(value, 3);
      });
    }
    expect(together[0]![0]).not.toBeCloseTo(together[1]![0]!, 3);
    scorer.destroy();
  });

  test('more prompts than the bank holds go in several passes', () => {
    const examples = Array.from({ length: 9 }, (_, i) => ({ prompt: promptOf(150, 1, i) }));
    const shared = { prompt: examples[0]!.prompt };
    expect(cutByBank([...examples, shared, shared]).map((part) => part.length)).toEqual([4, 4, 3]);
    expect(cutByBank([shared, shared, shared])).toHaveLength(1);
  });
});
