import { beforeAll, describe, expect, test } from 'vitest';
import { defaultRecipe } from '../tuning/index.ts';
import { createEngine } from './engine.ts';
import type { Engine, PromptRef } from './protocol.ts';

const ignore = () => {};
const recipe = { ...defaultRecipe, promptLength: 4, steps: 8, evalEvery: 4, batchSize: 8 };
const TEXT = 'I think the river is far too wide.';

let engine: Engine;
let first: PromptRef;
let second: PromptRef;

async function run(seed: number, steps = recipe.steps): Promise<PromptRef> {
  let end: () => void = ignore;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const { id } = await engine.startRun(
    { ...recipe, seed, steps },
    (event) => event.type === 'finished' && end(),
    {
      paused: false,
    },
  );
  await ended;
  return { kind: 'run', run: id, which: 'best' };
}

async function openSample(id: string): Promise<void> {
  await engine.openData({ kind: 'sample', id }, {}, ignore);
  const settings = await engine.suggestTask();
  // A small dev set keeps the software adapter quick.
  await engine.setTask(
    { ...settings, split: { kind: 'stratified', train: 0.9, dev: 0.05, test: 0.05, seed: 1 } },
    ignore,
  );
}

describe.each(['webgpu', 'onnx'] as const)('on %s', (name) => {
  beforeAll(async () => {
    engine = createEngine(new URL('/', location.href).href);
    await engine.openDevice(name);
    await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
    await openSample('fact-or-opinion');
    first = await run(1);
    second = await run(2);
  }, 120_000);

  describe('inside a prompt', () => {
    test('its way over the steps, from the words it started at', async () => {
      const trail = await engine.promptTrail(first);
      expect(trail.steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      expect(trail.xy).toHaveLength(9 * 4 * 2);
      expect(trail.norms).toHaveLength(9 * 4);
      expect([...trail.shown].every((share) => share >= 0 && share <= 1)).toBe(true);
      const start = await engine.neighbours(first, 1, 0);
      expect(start.tokens.map(({ words }) => words[0]!.word)).toEqual(
        start.tokens.map(({ startedFrom }) => startedFrom),
      );
      expect(start.tokens.every(({ moved }) => moved === 0)).toBe(true);
      const end = await engine.neighbours(first, 1, 8);
      expect(end.tokens.every(({ moved }) => moved > 0)).toBe(true);
      await expect(engine.neighbours(first, 1, 99)).rejects.toMatchObject({ code: 'storage' });
    });

    test('each step of it is what the run would have ended with there, bit for bit', async () => {
      const short = await engine.promptTrail(await run(1, 3));
      const long = await engine.promptTrail(first);
      expect(short.steps).toEqual([0, 1, 2, 3]);
      expect(short.xy).toEqual(long.xy.slice(0, short.xy.length));
    });

    test('the map of the vocabulary, on which it starts at its words', async () => {
      const map = await engine.vocabularyMap();
      expect(map.words.length).toBeGreaterThan(1000);
      expect(map.xy).toHaveLength(2 * map.words.length);
      expect(map.labels.map(({ label }) => label).sort()).toEqual(['fact', 'opinion']);
      expect(map.explained[0]).toBeGreaterThanOrEqual(map.explained[1]);
      const { tokens } = await engine.neighbours(first, 1, 0);
      const { xy, norms } = await engine.promptTrail(first);
      const at = map.words.indexOf(tokens[0]!.startedFrom!);
      expect(at).toBeGreaterThanOrEqual(0);
      expect(xy[0]).toBeCloseTo(map.xy[2 * at]!, 3);
      expect(norms[0]).toBeCloseTo(map.norms[at]!, 3);
    });

    test('leaving one out: the whole is that of an evaluation; each change is a difference of two losses', async () => {
      const seen: number[] = [];
      const { n, whole, tokens } = await engine.leaveOneOut(first, { rows: 1000 }, (p) => seen.push(p.done));
      const evaluation = await engine.evaluate(first, 'dev', { decoding: 'rank' }, ignore);
      expect(n).toBe(evaluation.n);
      expect(whole.accuracy).toBeCloseTo(evaluation.accuracy, 6);
      expect(tokens).toHaveLength(4);
      for (const token of tokens) {
        expect(token.change).toBeCloseTo(token.loss - whole.loss, 4);
        expect(token.error).toBeGreaterThan(0);
      }
      expect(seen.at(-1)).toBe(5 * n);
    });

    test('a measurement that is stopped is cancelled', async () => {
      const measuring = engine.leaveOneOut(first, { rows: 1000 }, () => void engine.stopMeasuring());
      await expect(measuring).rejects.toMatchObject({ code: 'cancelled' });
    });

    test('attention: by block, layer, row and head; ONNX Runtime keeps none and says so', async () => {
      if (name === 'onnx') {
        await expect(engine.attention(first, TEXT, undefined)).rejects.toMatchObject({
          code: 'no-webgpu',
          remedy: expect.stringContaining('WebGPU'),
        });
        return;
      }
      const { length, heads, label, blocks } = await engine.attention(first, TEXT, undefined);
      expect([length, heads]).toEqual([4, 4]);
      expect(['fact', 'opinion']).toContain(label);
      expect(blocks.map(({ of, layers }) => [of, layers.length])).toEqual([
        ['encoder', 2],
        ['cross', 2],
      ]);
      for (const { tokens, layers, seen } of blocks) {
        expect(seen).toBeGreaterThan(4);
        for (const layer of layers) {
          expect([layer.first, layer.count]).toEqual([0, tokens.length]);
          expect(layer.weights).toHaveLength(tokens.length * 4 * 4);
          expect(layer.weights.every((weight) => weight >= 0 && weight <= 1)).toBe(true);
        }
      }
      await expect(engine.attention({ kind: 'none' }, TEXT, undefined)).rejects.toMatchObject({
        code: 'bad-prompt',
      });
    });
  });

  describe('several prompts on one model', () => {
    test('a vote of one prompt is that prompt; of three, each member is its own evaluation', async () => {
      const one = await engine.vote([first], 'dev', ignore);
      expect(one.majority).toEqual({ ...one.members[0], prompt: undefined });
      const { n, members, average, outcomes } = await engine.vote([first, second, first], 'dev', ignore);
      for (const [i, ref] of [first, second].entries()) {
        const evaluation = await engine.evaluate(ref, 'dev', { decoding: 'rank' }, ignore);
        expect(evaluation.n).toBe(n);
        expect(members[i]!.accuracy).toBeCloseTo(evaluation.accuracy, 6);
        expect(outcomes.map(({ votes }) => votes[i]!.label)).toEqual(
          evaluation.outcomes.map(({ predicted }) => predicted),
        );
      }
      expect(average).toBeCloseTo(members.reduce((sum, { accuracy }) => sum + accuracy, 0) / 3, 6);
      // Two of three are the same prompt: it has the majority.
      expect(outcomes.every(({ votes, majority }) => majority === votes[0]!.label)).toBe(true);
    });

    test('sliding: its ends are the two prompts', async () => {
      const { points, n } = await engine.slide(first, second, { points: 3, rows: 1000 }, ignore);
      expect(points.map(({ at }) => at)).toEqual([0, 0.5, 1]);
      for (const [i, ref] of [
        [0, first],
        [2, second],
      ] as const) {
        const evaluation = await engine.evaluate(ref, 'dev', { decoding: 'rank' }, ignore);
        expect([n, points[i]!.accuracy]).toEqual([evaluation.n, evaluation.accuracy]);
      }
      const scores = await engine.slideText(first, second, TEXT, undefined, 5);
      expect(scores).toHaveLength(5);
      const [own] = await engine.predict(TEXT, undefined, [second], { generate: false });
      scores[4]!.forEach((score, c) => {
        expect(score.probability).toBeCloseTo(own!.scores[c]!.probability, 4);
      });
    });

    test('a kept prompt votes as the run that it was kept from, and is shown on rows of the open table', async () => {
      // This browser still has the one that the other engine's tests kept.
      const { id, name: given } = await engine.savePrompt((first as { run: string }).run, 'kept');
      const kept: PromptRef = { kind: 'saved', id };
      const [described] = await engine.describePrompts([kept]);
      expect(described).toMatchObject({ name: given, length: 4 });
      expect(described!.examples.length).toBeGreaterThan(0);
      const { members } = await engine.vote([first, kept], 'dev', ignore);
      expect(members[1]!.accuracy).toBe(members[0]!.accuracy);
      expect((await engine.promptTrail(kept)).steps).toHaveLength(1);
    });

    test('tasks mixed in one batch, each text under its own prompt, template and labels', async () => {
      await openSample('film-reviews');
      const film = await run(3);
      const described = await engine.describePrompts([first, film]);
      expect(described.map(({ labels }) => [...labels].sort())).toEqual([
        ['fact', 'opinion'],
        ['negative', 'positive'],
      ]);
      expect(described[0]).toMatchObject({ length: 4, bytes: 4 * 4 * 64 });
      const [example] = described[0]!.examples;
      expect(['fact', 'opinion']).toContain(example!.label);
      const report = await engine.readTogether([
        { prompt: first, text: example!.text },
        { prompt: film, text: 'A film to see twice.' },
        { prompt: second, text: example!.text },
      ]);
      expect(report.passes).toHaveLength(1);
      expect(report.passes[0]).toMatchObject({ examples: 3, prompts: 3 });
      expect(report.difference).toBeLessThan(1e-4);
      expect(report.answers.map(({ scores }) => scores.map(({ label }) => label).sort())).toEqual([
        ['fact', 'opinion'],
        ['negative', 'positive'],
        ['fact', 'opinion'],
      ]);
      await expect(engine.vote([first, film], 'dev', ignore)).rejects.toMatchObject({
        code: 'prompt-mismatch',
        remedy: expect.stringContaining('labels'),
      });
    });
  });
});
