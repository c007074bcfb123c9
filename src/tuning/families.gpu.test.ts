import { afterAll, describe, expect, test } from 'vitest';
import { openGpu } from '../gpu/index.ts';
import { createSession, freePersistent, type Session } from '../graph/index.ts';
import type { LossMode } from '../kernels/index.ts';
import { type FrozenModel, loadGguf, makeModel, traitsOf, uploadFrozen } from '../models/index.ts';
import {
  type ByteSource,
  bytesSource,
  openSafetensors,
  toFloat32,
  type WeightFile,
} from '../weights/index.ts';
import { type BatchExample, planAnswers } from './batch.ts';
import { createLearner } from './learner.ts';
import { sgdDefaults } from './recipe.ts';
import { createScorer, type PromptSource } from './scorer.ts';

const files = import.meta.glob<string>('../models/testdata/**/*.{safetensors,gguf}', {
  query: '?url',
  import: 'default',
  eager: true,
});
const configs = import.meta.glob<Record<string, unknown>>('../models/testdata/models/*/config.json', {
  import: 'default',
  eager: true,
});
interface CaseJson {
  kind: string;
  input_ids: number[][];
  labels: number[][];
  loss: number;
  example_loss_sums: number[];
}
const cases = import.meta.glob<CaseJson>('../models/testdata/cases/*.json', {
  import: 'default',
  eager: true,
});
const ggufCase = Object.values(
  import.meta.glob<{ prompts: { ids: number[]; logits: string }[] }>('../models/testdata/gguf/*.json', {
    import: 'default',
    eager: true,
  }),
)[0];
const names = Object.keys(cases).map((path) => path.replace(/.*\/|\.json$/g, ''));

let opened: Promise<Session> | undefined;
const openSession = (): Promise<Session> => {
  opened ??= openGpu().then((gpu) => createSession(gpu));
  return opened;
};
afterAll(async () => (await opened)?.gpu.close());

async function source(path: string): Promise<ByteSource> {
  const response = await fetch(files[`../models/testdata/${path}`]);
  return bytesSource(new Uint8Array(await response.arrayBuffer()), path);
}
const openFile = async (path: string): Promise<WeightFile> => openSafetensors(await source(path));
const values = async (file: WeightFile, name: string) =>
  new Float32Array(toFloat32(await file.read(name), 'F32'));

async function withFamily(
  name: string,
  body: (session: Session, model: FrozenModel, golden: WeightFile) => Promise<void>,
): Promise<void> {
  const session = await openSession();
  const weights = await openFile(`models/${name}/model.safetensors`);
  const model = makeModel(configs[`../models/testdata/models/${name}/config.json`], weights);
  await uploadFrozen(session, model, weights);
  await body(session, model, await openFile(`cases/${name}.safetensors`));
  freePersistent(
    session,
    model.frozen.map(({ tensor }) => tensor),
  );
}

function distance(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference = Math.max(difference, Math.abs(got[i] - wanted[i]));
    scale = Math.max(scale, Math.abs(wanted[i]));
  }
  return difference / scale;
}

const settings = (length: number, loss: LossMode = 'vocabulary') => ({
  length,
  loss,
  optimizer: sgdDefaults,
  clipNorm: 0,
  keepLogits: true,
});

describe('families', () => {
  test.each(names)('%s: loss, logits and gradient of PyTorch', (name) =>
    withFamily(name, async (session, model, golden) => {
      const json = cases[`../models/testdata/cases/${name}.json`];
      const prompt = await values(golden, 'prompt');
      const length = prompt.length / model.info.width;
      const examples = json.input_ids.map((ids, i): BatchExample => {
        const answer = json.labels[i].filter((label) => label >= 0);
        return {
          ids: json.kind === 'causal' ? ids.slice(0, ids.length - answer.length) : ids,
          prompt: { first: 0, count: length },
          answers: planAnswers([answer]),
          target: 0,
        };
      });
      const learner = await createLearner(
        session,
        traitsOf(session.gpu),
        model,
        settings(length),
        examples,
        prompt,
        examples.length,
      );
      const { loss } = await learner.step(
        1,
        examples.map((_, i) => i),
        { scene: false },
      );
      expect(Math.abs(loss / json.loss - 1)).toBeLessThan(1e-5);
      expect(distance(await learner.readLogits(), await values(golden, 'logits'))).toBeLessThan(1e-4);
      expect(distance(await learner.readGradient(), await values(golden, 'grad_prompt'))).toBeLessThan(1e-4);
      learner.destroy();
    }),
  );
});

/** Examples whose answers branch, of which some begin alike. */
const branching = (length: number): BatchExample[] =>
  [
    {
      ids: [5, 9, 12, 7],
      answers: [
        [4, 6, 8],
        [4, 6, 3],
        [11, 13],
      ],
      target: 1,
    },
    { ids: [14], answers: [[4], [10, 15]], target: 1 },
    { ids: [21, 3, 30, 8, 17, 6], answers: [[19, 20, 21], [22]], target: 0 },
  ].map(({ ids, answers, target }) => ({
    ids,
    prompt: { first: 0, count: length },
    answers: planAnswers(answers),
    target,
  }));

// Behind one prompt; in Mistral's narrow window, where every answer lies apart; and an encoder-decoder.
describe.each(['llama', 'mistral', 't5'])('%s: examples together are examples alone', (name) => {
  test('loss and gradient over several answers', () =>
    withFamily(name, async (session, model, golden) => {
      const prompt = await values(golden, 'prompt');
      const length = prompt.length / model.info.width;
      const examples = branching(length);
      const run = async (microBatch: number) => {
        const learner = await createLearner(
          session,
          traitsOf(session.gpu),
          model,
          settings(length, 'verbalizers'),
          examples,
          prompt,
          microBatch,
        );
        const { loss, tokens } = await learner.step(1, [0, 1, 2], { scene: true });
        const gradient = await learner.readGradient();
        learner.destroy();
        return { loss, gradient, tokens };
      };
      const together = await run(3);
      const alone = await run(1);
      expect(together.loss).toBeCloseTo(alone.loss, 5);
      expect(distance(together.gradient, alone.gradient)).toBeLessThan(1e-5);
      expect(alone.tokens - together.tokens).toBe(name === 'llama' ? 2 * length : 0);
    }));

  test('scores and free answers with different prompts, and with none', () =>
    withFamily(name, async (session, model, golden) => {
      const rows = await values(golden, 'prompt');
      const { width } = model.info;
      const part = (from: number, length: number): PromptSource => ({
        kind: 'values',
        length,
        values: rows.slice(from * width, (from + length) * width),
      });
      const [long, short] = [part(0, 5), part(2, 2)];
      const prompts = [long, undefined, short];
      const examples = branching(0).map((example, i) => ({ ...example, prompt: prompts[i] }));
      const scorer = createScorer(session, traitsOf(session.gpu), model);
      const together = await scorer.score(examples);
      const free = await scorer.generate(examples, { maxTokens: 3, ignoreEnd: true });
      for (const [i, example] of examples.entries()) {
        expect(distance((await scorer.score([example]))[0], together[i])).toBeLessThan(1e-5);
        expect((await scorer.generate([example], { maxTokens: 3, ignoreEnd: true }))[0]).toEqual(free[i]);
      }
      expect(together.flatMap((scores) => [...scores]).every((score) => score < 0)).toBe(true);
      scorer.destroy();
    }));
});

test('a GGUF file: the scores that its logits give', async () => {
  const session = await openSession();
  const { config, weights } = await loadGguf(await source('gguf/tiny-f32.gguf'));
  const golden = await openFile('gguf/tiny-f32.safetensors');
  const model = makeModel(config, weights);
  await uploadFrozen(session, model, weights);
  const scorer = createScorer(session, traitsOf(session.gpu), model);
  const { prompts } = ggufCase;
  const scores = await scorer.score(
    prompts
      .filter(({ ids }) => ids.length > 1)
      .map(({ ids: [first, ...rest] }) => ({
        ids: [first],
        prompt: undefined,
        answers: planAnswers([rest]),
      })),
  );
  scorer.destroy();
  for (const [i, { ids, logits }] of prompts.filter((prompt) => prompt.ids.length > 1).entries()) {
    const all = await values(golden, logits);
    const width = model.info.vocabSize;
    let wanted = 0;
    ids.slice(1).forEach((id, at) => {
      const row = all.subarray(at * width, (at + 1) * width);
      wanted += row[id] - Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
    });
    expect(Math.abs(scores[i][0] / wanted - 1)).toBeLessThan(1e-5);
  }
});
