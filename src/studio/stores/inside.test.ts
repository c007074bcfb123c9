import { describe, expect, test, vi } from 'vitest';
import { defaultRecipe } from '../../tuning/recipe.ts';
import type { PromptRef } from '../../worker/protocol.ts';
import { createStudio } from '../studio.tsx';
import { createFakeEngine, type FakeOptions } from '../testing/fakeEngine.ts';
import { createInside } from './inside.ts';
import { lastWish } from './questions.ts';
import { createTogether, SLIDE_POINTS, TEXT_POINTS } from './together.ts';

const recipe = { ...defaultRecipe, promptLength: 5, steps: 40, evalEvery: 20 };

async function studioWithRuns(count: number, options: FakeOptions = {}) {
  const engine = createFakeEngine({ stepsPerSecond: 1000, ...options });
  const studio = createStudio(engine);
  await studio.session.getState().begin();
  const refs: PromptRef[] = [];
  for (let i = 0; i < count; i++) {
    const { id } = await engine.startRun(recipe, () => {}, { paused: false });
    await vi.waitFor(async () =>
      expect((await engine.runs()).find((run) => run.id === id)?.state).toBe('finished'),
    );
    refs.push({ kind: 'run', run: id, which: 'best' });
  }
  const asked = (name: string) => engine.calls.filter((call) => call.name === name).length;
  return { engine, studio, refs, asked };
}

test('of several wishes the last is done, one at a time', async () => {
  let at = 0;
  const done: number[] = [];
  const wish = lastWish(async () => {
    const mine = at;
    await Promise.resolve();
    done.push(mine);
  });
  const first = wish();
  at = 1;
  void wish();
  at = 2;
  void wish();
  await first;
  expect(done).toEqual([0, 2]);
});

describe('inside a prompt', () => {
  test('opens at the last step with its words; another step asks once, and never again', async () => {
    const { engine, studio, refs, asked } = await studioWithRuns(1);
    const inside = createInside(engine, studio.session, studio.notices);
    inside.getState().choose(refs[0]);
    await vi.waitFor(() => expect(inside.getState().words).toBeDefined());
    const { trail, at } = inside.getState();
    expect(trail!.steps).toEqual([0, 10, 20, 30, 40]);
    expect(at).toBe(4);
    const before = asked('neighbours');
    inside.getState().setAt(1);
    await vi.waitFor(() => expect(asked('neighbours')).toBe(before + 1));
    expect(engine.calls.findLast(({ name }) => name === 'neighbours')!.args).toEqual([refs[0], 5, 10]);
    inside.getState().setAt(4);
    inside.getState().setAt(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(asked('neighbours')).toBe(before + 1);
    expect(asked('vocabularyMap')).toBe(1);
  });

  test('attention follows the text, and is not asked of an engine that keeps none', async () => {
    const { engine, studio, refs, asked } = await studioWithRuns(1);
    const inside = createInside(engine, studio.session, studio.notices);
    inside.getState().choose(refs[0]);
    inside.getState().setText('a short text');
    await vi.waitFor(() => expect(inside.getState().attention?.blocks[0]?.tokens).toHaveLength(4), 2000);
    const before = asked('attention');
    studio.session.setState((s) => ({ device: { ...s.device!, engine: 'onnx' } }));
    inside.getState().choose(refs[0]);
    inside.getState().setText('another');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(asked('attention')).toBe(before);
    expect(inside.getState().attention).toBeUndefined();
  });

  test('leaving one out tells its progress, can be stopped, and is no error then', async () => {
    const { engine, studio, refs } = await studioWithRuns(1, { delay: 30 });
    const inside = createInside(engine, studio.session, studio.notices);
    inside.getState().choose(refs[0]);
    const stopped = inside.getState().measure(32);
    expect(inside.getState().measuring).toBeDefined();
    await inside.getState().stop();
    await stopped;
    expect(inside.getState()).toMatchObject({ measuring: undefined, leave: undefined });
    expect(studio.notices.getState().errors).toEqual([]);
    await inside.getState().measure(32);
    expect(inside.getState().leave?.tokens).toHaveLength(5);
  });

  test('another table brings other labels: the map is made anew, what was measured is gone', async () => {
    const { engine, studio, refs, asked } = await studioWithRuns(1);
    const inside = createInside(engine, studio.session, studio.notices);
    inside.getState().choose(refs[0]);
    await inside.getState().measure(32);
    await studio.session
      .getState()
      .openData({ kind: 'sample', id: studio.session.getState().samples[1]!.id });
    expect(inside.getState()).toMatchObject({ prompt: undefined, map: undefined, leave: undefined });
    inside.getState().choose(refs[0]);
    await vi.waitFor(() => expect(asked('vocabularyMap')).toBe(2));
  });
});

describe('several prompts on one model', () => {
  test('texts are filled with rows of each task, and read together', async () => {
    const { engine, studio, refs } = await studioWithRuns(2);
    const together = createTogether(engine, studio.session, studio.notices);
    await together.getState().choose(refs);
    const { texts } = together.getState();
    expect(Object.values(texts).every(({ text }) => text.length > 0)).toBe(true);
    await together.getState().read();
    expect(together.getState().report?.answers).toHaveLength(2);
    together.getState().setText('run:run-1:best', '');
    expect(together.getState().report).toBeUndefined();
    await together.getState().read();
    expect(together.getState().report).toBeUndefined();
  });

  test('a vote holds for the rows and prompts it was asked of', async () => {
    const { engine, studio, refs } = await studioWithRuns(2);
    const together = createTogether(engine, studio.session, studio.notices);
    await together.getState().choose(refs);
    await together.getState().count();
    expect(together.getState().vote?.members).toHaveLength(2);
    together.getState().setPart('test');
    expect(together.getState().vote).toBeUndefined();
  });

  test('with another table a vote that goes on ends, and its late answer is dropped', async () => {
    const { engine, studio, refs } = await studioWithRuns(2);
    let answer = () => {};
    const { vote } = engine;
    engine.vote = async (...asked) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return vote(...asked);
    };
    const together = createTogether(engine, studio.session, studio.notices);
    await together.getState().choose(refs);
    const counting = together.getState().count();
    expect(together.getState().voting).toBeDefined();
    const { openData, samples } = studio.session.getState();
    await openData({ kind: 'sample', id: samples[1]!.id });
    expect(together.getState().voting).toBeUndefined();
    answer();
    await counting;
    expect(together.getState()).toMatchObject({ vote: undefined, voting: undefined });
    expect(studio.notices.getState().errors).toEqual([]);
  });

  test('sliding: the curve on a press, the text by itself, both dropped with other ends', async () => {
    const { engine, studio, refs } = await studioWithRuns(2);
    const together = createTogether(engine, studio.session, studio.notices);
    together.getState().setEnds(refs[0], refs[1]);
    together.getState().setSlideText('a short text');
    await vi.waitFor(() => expect(together.getState().along).toHaveLength(TEXT_POINTS), 2000);
    await together.getState().measure();
    expect(together.getState().slide?.points).toHaveLength(SLIDE_POINTS);
    together.getState().setEnds(refs[1], refs[0]);
    expect(together.getState()).toMatchObject({ slide: undefined, along: undefined });
  });

  test('between prompts of different lengths there is no way, which is no error', async () => {
    const { engine, studio, refs, asked } = await studioWithRuns(1);
    const saved = (await engine.savedPrompts())[0]!;
    expect(saved.length).not.toBe(recipe.promptLength);
    const together = createTogether(engine, studio.session, studio.notices);
    together.getState().setEnds(refs[0], { kind: 'saved', id: saved.id });
    together.getState().setSlideText('a short text');
    await vi.waitFor(() => expect(together.getState().lengths).toEqual([recipe.promptLength, saved.length]));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(asked('slideText')).toBe(0);
    expect(studio.notices.getState().errors).toEqual([]);
  });
});
