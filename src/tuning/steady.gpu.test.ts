/** What stays the same from step to step: shaders whatever the batch, and bits whatever the interruptions. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGpu } from '../gpu/index.ts';
import { createSession, type Session } from '../graph/index.ts';
import { type FrozenModel, makeModel, traitsOf, uploadFrozen } from '../models/index.ts';
import { bytesSource, openSafetensors } from '../weights/index.ts';
import { type BatchExample, planAnswers } from './batch.ts';
import { createLearner } from './learner.ts';
import { defaultRecipe } from './recipe.ts';
import { createScorer } from './scorer.ts';
import { warmPipelines } from './warm.ts';

let session: Session;
let model: FrozenModel;

beforeAll(async () => {
  const config = await (await fetch('/models/tiny/config.json')).json();
  const file = await (await fetch('/models/tiny/model.safetensors')).arrayBuffer();
  const weights = await openSafetensors(bytesSource(new Uint8Array(file)));
  const gpu = await openGpu();
  session = createSession(gpu);
  model = makeModel(config, weights);
  await uploadFrozen(session, model, weights);
});
afterAll(() => session.gpu.close());

const examplesFor = (count: number, length: number, prompt: number) =>
  Array.from(
    { length: count },
    (_, i): BatchExample => ({
      ids: Array.from({ length: length + (i % 3) }, (_, j) => 10 + ((i * 97 + j * 31) % 900)),
      prompt: { first: 0, count: prompt },
      answers: planAnswers([[20], [30, 31]]),
      target: i % 2,
    }),
  );
const make = (examples: BatchExample[], prompt: number, batch: number) =>
  createLearner(
    session,
    traitsOf(session.gpu),
    model,
    { length: prompt, loss: 'verbalizers', optimizer: defaultRecipe.optimizer, clipNorm: 0 },
    examples,
    Float32Array.from({ length: prompt * model.info.width }, (_, i) => Math.sin(i * 12.9898)),
    batch,
  );

describe('shaders', () => {
  test('of a step and of a reading are all compiled before there is an example', async () => {
    await warmPipelines(session, traitsOf(session.gpu), model);
    const before = session.pipelines.count;
    const examples = examplesFor(32, 40, 20);
    const learner = await make(examples, 20, 32);
    expect(session.pipelines.count).toBe(before);
    const scorer = createScorer(session, traitsOf(session.gpu), model);
    await scorer.score(examples.slice(0, 2).map(({ ids, answers }) => ({ ids, answers, prompt: undefined })));
    expect(session.pipelines.count).toBe(before);
    scorer.destroy();
    learner.destroy();
  });

  test('stay when batch, lengths and prompt change', async () => {
    const learner = await make(examplesFor(24, 40, 20), 20, 24);
    const before = session.pipelines.count;
    for (const batch of [[0], [1, 2, 3], [...Array(24).keys()]])
      await learner.step(1, batch, { scene: false });
    learner.destroy();
    for (const [batch, length, prompt] of [
      [12, 60, 20],
      [32, 25, 20],
      [24, 40, 50],
    ] as const) {
      const other = await make(examplesFor(batch, length, prompt), prompt, batch);
      expect((await other.step(1, [0, 1], { scene: false })).finite).toBe(true);
      other.destroy();
    }
    expect(session.pipelines.count).toBe(before);
  });
});

describe('a run', () => {
  const examples = examplesFor(6, 12, 5);
  const batches = [
    [0, 1, 2],
    [3, 4],
    [5, 0, 3],
    [1, 4, 2],
  ];

  test('taken up from its state equals one that never stopped, bit for bit', async () => {
    const straight = await make(examples, 5, 3);
    const losses: number[] = [];
    for (const [i, batch] of batches.entries())
      losses.push((await straight.step(i + 1, batch, { scene: false })).loss);

    const first = await make(examples, 5, 3);
    for (const [i, batch] of batches.slice(0, 2).entries())
      expect((await first.step(i + 1, batch, { scene: false })).loss).toBe(losses[i]);
    const kept = structuredClone(await first.readState());
    first.destroy();

    const second = await make(examples, 5, 3);
    second.writeState(kept);
    for (const i of [2, 3])
      expect((await second.step(i + 1, batches[i]!, { scene: false })).loss).toBe(losses[i]);
    const [a, b] = [await straight.readState(), await second.readState()];
    expect(b.prompt).toEqual(a.prompt);
    expect(b.optimizer).toEqual(a.optimizer);
    straight.destroy();
    second.destroy();
  });
});
