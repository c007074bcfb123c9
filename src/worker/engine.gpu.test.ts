import { beforeAll, describe, expect, test } from 'vitest';
import { defaultRecipe, type Recipe } from '../tuning/index.ts';
import { createEngine } from './engine.ts';
import type { Engine, RunEvent, TaskReport } from './protocol.ts';

const ignore = () => {};
const recipe: Recipe = { ...defaultRecipe, promptLength: 5, steps: 6, evalEvery: 3, batchSize: 8 };

let engine: Engine;
let task: TaskReport;

beforeAll(async () => {
  engine = createEngine(new URL('/', location.href).href);
  await engine.openDevice('webgpu');
  await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
  await engine.openData({ kind: 'sample', id: 'fact-or-opinion' }, {}, ignore);
  const settings = await engine.suggestTask();
  // A small dev set keeps the software adapter quick.
  task = await engine.setTask(
    { ...settings, split: { kind: 'stratified', train: 0.9, dev: 0.05, test: 0.05, seed: 1 } },
    ignore,
  );
}, 60_000);

/** Runs to its end and gathers what the page would see. */
async function run(given: Recipe, onEvent: (event: RunEvent) => void = ignore) {
  const events: RunEvent[] = [];
  let end: () => void = ignore;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const summary = await engine.startRun(
    given,
    (event) => {
      events.push(event);
      onEvent(event);
      if (event.type === 'finished' || event.type === 'failed') end();
    },
    { paused: false },
  );
  await ended;
  return { id: summary.id, events };
}

describe('the engine behind the protocol', () => {
  test('a run reports its steps, its evaluations and its end, and is listed', async () => {
    const { id, events } = await run(recipe);
    const steps = events.flatMap((event) => (event.type === 'steps' ? event.records : []));
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(steps.every(({ loss, gradNorm }) => loss > 0 && gradNorm > 0)).toBe(true);
    expect(events.filter((event) => event.type === 'eval').map((event) => event.record.step)).toEqual([3, 6]);
    expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'steps' });
    const scene = events.find((event) => event.type === 'scene');
    expect(scene?.frame.tokenGrad).toHaveLength(5);
    expect(scene?.frame.encoderGrad.every((norm) => norm > 0)).toBe(true);
    const [listed] = (await engine.runs()).filter((known) => known.id === id);
    expect(listed).toMatchObject({ state: 'finished', step: 6, dataName: expect.any(String) });
  });

  test('the same seed gives the same losses, another seed others', async () => {
    const losses = async (seed: number) => {
      const { events } = await run({ ...recipe, seed, steps: 3 });
      return events.flatMap((event) => (event.type === 'steps' ? event.records.map((r) => r.loss) : []));
    };
    const first = await losses(5);
    expect(await losses(5)).toEqual(first);
    expect(await losses(6)).not.toEqual(first);
  });

  test('a prompt taken home and read back answers as before', async () => {
    const { id } = await run(recipe);
    const ref = { kind: 'run', run: id, which: 'best' } as const;
    const before = await engine.evaluate(ref, 'test', { decoding: 'rank' }, ignore);
    expect(before.n).toBe(task.counts.test);
    for (const format of ['peft', 'npy', 'json'] as const) {
      const { name, bytes } = await engine.exportPrompt(ref, format);
      const kept = await engine.importPrompt([new File([bytes], name)]);
      expect(kept.fits).toBe(true);
      const after = await engine.evaluate(
        { kind: 'saved', id: kept.id },
        'test',
        { decoding: 'rank' },
        ignore,
      );
      expect(after.outcomes).toEqual(before.outcomes);
    }
  });

  test('one text under several prompts in one batch equals each alone', async () => {
    const { id } = await run({ ...recipe, steps: 2 });
    const refs = [{ kind: 'none' }, { kind: 'written' }, { kind: 'run', run: id, which: 'best' }] as const;
    const text = 'I think the river is far too wide.';
    const together = await engine.predict(text, undefined, [...refs], { generate: true });
    for (const [i, ref] of refs.entries()) {
      const [alone] = await engine.predict(text, undefined, [ref], { generate: false });
      expect(together[i].label).toBe(alone.label);
      together[i].scores.forEach((score, c) => {
        expect(score.logLikelihood).toBeCloseTo(alone.scores[c].logLikelihood, 4);
      });
    }
    expect(together[0].scores.reduce((sum, score) => sum + score.probability, 0)).toBeCloseTo(1, 5);
  });

  test('pause, one step, resume', async () => {
    const seen: string[] = [];
    const { events } = await run({ ...recipe, steps: 5, evalEvery: 5 }, (event) => {
      if (event.type !== 'state') return;
      seen.push(`${event.state} ${event.step}`);
      if (seen.length === 1) void engine.pause();
      if (event.state === 'paused' && seen.filter((s) => s.startsWith('paused')).length === 1)
        void engine.step();
      else if (event.state === 'paused') void engine.resume();
    });
    expect(seen.filter((s) => s.startsWith('paused'))).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'steps' });
  });

  test('a loss that is not finite stops the run at the last good prompt and says what to try', async () => {
    const wild: Recipe = {
      ...recipe,
      steps: 20,
      evalEvery: 1,
      // Infinite as an f32: the prompt after the first step is, too.
      optimizer: { kind: 'sgd', learningRate: 1e39, momentum: 0.9 },
    };
    const { id, events } = await run(wild);
    const failed = events.find((event) => event.type === 'failed');
    expect(failed?.error).toMatchObject({
      code: 'non-finite-loss',
      remedy: expect.stringContaining('learning rate'),
    });
    const [answer] = await engine.predict(
      'The sky is blue.',
      undefined,
      [{ kind: 'run', run: id, which: 'best' }],
      { generate: false },
    );
    expect(answer.scores.every((score) => Number.isFinite(score.logLikelihood))).toBe(true);
  });

  test('errors cross as plain reports', async () => {
    await expect(
      engine.startRun({ ...recipe, promptLength: 1000 }, ignore, { paused: false }),
    ).rejects.toMatchObject({
      code: 'bad-recipe',
      remedy: expect.any(String),
    });
    await expect(engine.exportPrompt({ kind: 'none' }, 'npy')).rejects.toMatchObject({ code: 'bad-prompt' });
  });

  test('nearest words of the virtual tokens, with a random baseline', async () => {
    // A step too small to leave the words where the prompt started.
    const { id } = await run({
      ...recipe,
      steps: 1,
      optimizer: { kind: 'sgd', learningRate: 1e-6, momentum: 0 },
    });
    const { tokens, random } = await engine.neighbours({ kind: 'run', run: id, which: 'best' }, 3);
    expect(tokens).toHaveLength(5);
    expect(tokens[0].words).toHaveLength(3);
    expect(tokens[0].words[0].cosine).toBeGreaterThan(random.mean);
    expect(tokens[0].startedFrom).toBe(tokens[0].words[0].word);
  });

  test('a model in 8 bits takes little more than half of its halves, keeps the task, and learns', async () => {
    const halves = await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
    const report = await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore, { precision: 'q8_0' });
    // Runs and prompts of the one are not taken for those of the other.
    expect(report).toMatchObject({
      precision: 'q8_0',
      title: `${halves.title}, 8 bits`,
      fingerprint: `q8_0-${halves.fingerprint}`,
    });
    expect(report.weightBytes / halves.weightBytes).toBeGreaterThan(34 / 64);
    expect(report.weightBytes / halves.weightBytes).toBeLessThan(0.56);
    const settings = await engine.suggestTask();
    await engine.setTask(
      { ...settings, split: { kind: 'stratified', train: 0.9, dev: 0.05, test: 0.05, seed: 1 } },
      ignore,
    );
    const { events } = await run({ ...recipe, steps: 2, evalEvery: 2 });
    const losses = events.flatMap((event) =>
      event.type === 'steps' ? event.records.map(({ loss }) => loss) : [],
    );
    expect(losses).toHaveLength(2);
    expect(losses.every((loss) => loss > 0 && loss < 5)).toBe(true);
  });
});
