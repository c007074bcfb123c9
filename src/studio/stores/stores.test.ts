import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultRecipe } from '../../tuning/recipe.ts';
import type { Progress, RunSummary } from '../../worker/protocol.ts';
import { createStudio, type Studio } from '../studio.tsx';
import { createFakeEngine, type FakeEngine, type FakeOptions } from '../testing/fakeEngine.ts';
import { TOAST_MS } from './notices.ts';
import { readMarks, writeMarks } from './runMarks.ts';
import { currentRun, foldEvent, viewOf } from './runs.ts';
import { REFRESH_MS } from './tryIt.ts';

let studio: Studio;
let engine: FakeEngine;

function open(options: FakeOptions = {}) {
  engine = createFakeEngine(options);
  studio = createStudio(engine);
}
async function ready(options: FakeOptions = {}) {
  open(options);
  await studio.session.getState().begin();
  await vi.advanceTimersByTimeAsync(2000);
}
const callsOf = (name: string) => engine.calls.filter((call) => call.name === name);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('start-up', () => {
  test('opens the device, the default model and the default sample, and measures the baselines', async () => {
    await ready();
    const { phase, model, data, task, baselines } = studio.session.getState();
    expect(phase).toBe('ready');
    expect(model?.title).toBe('nano-T5 small');
    expect(data?.name).toBe('Fact or opinion');
    expect(task?.counts.train).toBe(560);
    expect(baselines.untuned).toBeGreaterThan(0.3);
    expect(baselines.written).toBeGreaterThan(0.3);
    expect(studio.tryIt.getState().text).not.toBe('');
    expect(studio.tryIt.getState().pins).toHaveLength(3);
    expect(studio.runs.getState().plan?.learned).toBe(20 * 128);
  });

  test('without a device the page is about that, and a second look can find one', async () => {
    const error = { code: 'no-adapter', message: 'No adapter.', remedy: 'Update the driver.' } as const;
    open({ deviceError: error });
    await studio.session.getState().begin();
    expect(studio.session.getState().phase).toBe('no-device');
    expect(studio.session.getState().deviceError).toEqual(error);
    expect(studio.notices.getState().errors).toHaveLength(0);
  });

  test('over a software adapter both engines are compared once a run could start, and the choice is kept', async () => {
    await ready({ software: true });
    const { device, comparing } = studio.session.getState();
    expect(device).toMatchObject({ engine: 'onnx', choice: { reason: 'faster' } });
    expect(comparing).toBe(false);
    expect(callsOf('compareEngines')).toHaveLength(1);
    await studio.session.getState().switchEngine('webgpu');
    expect(studio.session.getState().device).toMatchObject({
      engine: 'webgpu',
      choice: { reason: 'wanted' },
    });
    await studio.session.getState().loadModel({ kind: 'builtin', id: 'base' });
    await vi.advanceTimersByTimeAsync(2000);
    expect(callsOf('compareEngines')).toHaveLength(1);
  });

  test('a link’s engine is opened without comparing; a GPU is never compared', async () => {
    open({ software: true });
    await studio.session.getState().begin({ engine: 'webgpu' });
    await vi.advanceTimersByTimeAsync(2000);
    expect(callsOf('openDevice')[0]?.args[0]).toBe('webgpu');
    await ready();
    expect(studio.session.getState().device?.choice.reason).toBe('gpu');
    expect(callsOf('compareEngines')).toHaveLength(0);
  });

  test('data that cannot be read leaves the old task in place and says so', async () => {
    await ready();
    const before = studio.session.getState().task;
    engine.openData = async () => {
      throw { code: 'bad-table', message: 'No table.', where: 'x.pdf', remedy: 'Choose a CSV.' };
    };
    const refused = createStudio(engine);
    expect(before).toBeDefined();
    await refused.session.getState().openData({ kind: 'file', file: new File([], 'x.pdf') });
    expect(refused.notices.getState().errors[0]?.report.where).toBe('x.pdf');
    expect(refused.session.getState().phase).toBe('waiting');
  });

  test('progress that comes after the result is no longer waited for', async () => {
    await ready();
    const { attempt } = studio.session.getState();
    let report: (progress: Progress) => void = () => {};
    await attempt(async (onProgress) => {
      report = onProgress;
    });
    report({ what: 'Reading', done: 120, total: 120, unit: 'examples' });
    expect(studio.session.getState().progress).toBeUndefined();
  });

  test('another model keeps the person’s own task settings', async () => {
    await ready();
    const settings = { ...studio.session.getState().task!.settings, template: 'review: {text}' };
    await studio.session.getState().setTask(settings);
    await studio.session.getState().loadModel({ kind: 'builtin', id: 'base' });
    expect(studio.session.getState().task?.settings.template).toBe('review: {text}');
  });
});

describe('runs', () => {
  test('a run is followed to its end, then measured on test', async () => {
    await ready({ stepsPerSecond: 100 });
    await studio.runs.getState().start({ ...defaultRecipe, steps: 50 });
    await vi.advanceTimersByTimeAsync(5000);
    const run = currentRun(studio.runs.getState())!;
    expect(run.state).toBe('finished');
    expect(run.step).toBe(50);
    expect(run.steps).toHaveLength(50);
    expect(run.evals.map((e) => e.step)).toEqual([0, 25, 50]);
    expect(run.frame?.tokenGrad).toHaveLength(20);
    expect(run.test?.accuracy).toBeGreaterThan(0.4);
    expect(studio.tryIt.getState().soft).toEqual({ kind: 'run', run: run.id, which: 'best' });
  });

  test('a run stopped before its end can be taken up again at once', async () => {
    await ready({ stepsPerSecond: 100 });
    await studio.runs.getState().start({ ...defaultRecipe, steps: 50 });
    await vi.advanceTimersByTimeAsync(200);
    await studio.runs.getState().stop();
    await vi.advanceTimersByTimeAsync(200);
    const run = currentRun(studio.runs.getState())!;
    expect(run.state).toBe('stopped');
    expect(run.resumable).toBe(true);
  });

  test('a failed run keeps its last good step and its error is shown', async () => {
    await ready({ stepsPerSecond: 100, failAt: 30 });
    await studio.runs.getState().start(defaultRecipe);
    await vi.advanceTimersByTimeAsync(3000);
    expect(currentRun(studio.runs.getState())?.state).toBe('failed');
    expect(studio.notices.getState().errors[0]?.report.code).toBe('non-finite-loss');
  });

  test('a run that a change of data stopped is not measured on the new test rows', async () => {
    await ready({ stepsPerSecond: 100 });
    const testsAsked = () => callsOf('evaluate').filter((call) => call.args[1] === 'test').length;
    await studio.runs.getState().start({ ...defaultRecipe, steps: 1000 });
    await vi.advanceTimersByTimeAsync(500);
    await engine.stop();
    await vi.advanceTimersByTimeAsync(500);
    expect(currentRun(studio.runs.getState())?.state).toBe('stopped');
    expect(testsAsked()).toBe(0);
    await studio.runs.getState().start({ ...defaultRecipe, steps: 1000 });
    await studio.runs.getState().stop();
    await vi.advanceTimersByTimeAsync(500);
    expect(testsAsked()).toBe(1);
  });

  test('deleting waits for the undo; the undo brings the run back to its place', async () => {
    await ready({ stepsPerSecond: 100 });
    for (const seed of [1, 2]) {
      await studio.runs.getState().start({ ...defaultRecipe, steps: 10, seed });
      await vi.advanceTimersByTimeAsync(2000);
    }
    const { remove } = studio.runs.getState();
    const [first] = studio.runs.getState().runs;
    remove(first!.id);
    expect(studio.runs.getState().runs).toHaveLength(1);
    studio.notices.getState().undo(studio.notices.getState().toasts.at(-1)!.id);
    expect(studio.runs.getState().runs.map((run) => run.recipe.seed)).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(TOAST_MS * 2);
    expect(callsOf('deleteRun')).toHaveLength(0);
    remove(first!.id);
    await vi.advanceTimersByTimeAsync(TOAST_MS + 1);
    expect(callsOf('deleteRun')).toHaveLength(1);
  });

  test('steps that are done again after a rollback replace the old ones', () => {
    const summary = { id: 'r', steps: [], evals: [], step: 0, seconds: 0, state: 'running' };
    const start = viewOf({ ...summary, recipe: defaultRecipe } as unknown as RunSummary);
    const steps = (from: number, to: number, loss: number) => ({
      type: 'steps' as const,
      records: Array.from({ length: to - from + 1 }, (_, i) => ({ step: from + i, loss, gradNorm: 1 })),
      stepsPerSecond: 10,
      tokensPerSecond: 1,
      secondsLeft: 1,
      gpuBytes: 1,
    });
    const run = foldEvent(foldEvent(start, steps(1, 10, 1)), steps(6, 12, 2));
    expect(run.steps.map((s) => s.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(run.steps[5]?.loss).toBe(2);
    expect(run.step).toBe(12);
  });
});

describe('try it', () => {
  test('asks once a second at most while a run goes, one question at a time', async () => {
    await ready({ stepsPerSecond: 100 });
    let open = 0;
    let most = 0;
    const { predict } = engine;
    const slow = vi.fn(async (...args: Parameters<typeof predict>) => {
      most = Math.max(most, ++open);
      await new Promise((done) => setTimeout(done, 40));
      open--;
      return predict(...args);
    });
    const wrapped = new Proxy(engine, {
      get: (target, name) => (name === 'predict' ? slow : target[name as 'predict']),
    });
    studio = createStudio(wrapped);
    await studio.session.getState().begin();
    await vi.advanceTimersByTimeAsync(2000);
    await studio.runs.getState().start({ ...defaultRecipe, steps: 1000 });
    slow.mockClear();
    await vi.advanceTimersByTimeAsync(10 * REFRESH_MS);
    expect(most).toBe(1);
    // One text and three pins a refresh.
    expect(slow.mock.calls.length).toBeGreaterThan(4 * 5);
    expect(slow.mock.calls.length).toBeLessThanOrEqual(4 * 11);
  });

  test('typing asks once, after the last key', async () => {
    await ready();
    const before = callsOf('readText').length;
    for (const text of ['T', 'Th', 'The']) studio.tryIt.getState().setText(text);
    await vi.advanceTimersByTimeAsync(1000);
    expect(
      callsOf('readText')
        .slice(before)
        .map((call) => call.args[0]),
    ).toEqual(['The']);
    expect(studio.tryIt.getState().none).toHaveLength(2);
  });

  test('the tile’s words follow the run', async () => {
    await ready({ stepsPerSecond: 100 });
    await studio.runs.getState().start({ ...defaultRecipe, steps: 50 });
    studio.tryIt.getState().setTile(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(studio.tryIt.getState().neighbours?.tokens).toHaveLength(20);
  });
});

describe('what answers in Try it', () => {
  test('a saved prompt stays until the run’s prompt is another, and leaves with the task', async () => {
    await ready({ stepsPerSecond: 100 });
    await studio.runs.getState().start({ ...defaultRecipe, steps: 20 });
    await vi.advanceTimersByTimeAsync(3000);
    const { id } = currentRun(studio.runs.getState())!;
    const soft = () => studio.tryIt.getState().soft;
    studio.tryIt.getState().setSoft({ kind: 'saved', id: 'saved-1' });
    await studio.runs.getState().rename(id, 'another name');
    expect(soft()).toEqual({ kind: 'saved', id: 'saved-1' });
    await studio.runs.getState().start({ ...defaultRecipe, steps: 2000 });
    await vi.advanceTimersByTimeAsync(300);
    expect(soft()).toMatchObject({ kind: 'run', which: 'current' });
    studio.tryIt.getState().setSoft({ kind: 'saved', id: 'saved-1' });
    await studio.session.getState().openData({ kind: 'sample', id: 'questions' });
    expect(soft()).toBeUndefined();
  });

  test('a tile that the new run’s prompt does not have is let go', async () => {
    await ready({ stepsPerSecond: 100 });
    studio.tryIt.getState().setTile(9);
    await studio.runs.getState().start({ ...defaultRecipe, promptLength: 5 });
    expect(studio.tryIt.getState().tile).toBeUndefined();
  });
});

describe('notices', () => {
  test('a toast leaves by itself, an error stays until it is dismissed', async () => {
    open();
    const { toast, fail } = studio.notices.getState();
    toast('Saved.');
    fail({ code: 'bad-labels', message: 'One class only.', remedy: 'Choose another column.' });
    await vi.advanceTimersByTimeAsync(TOAST_MS + 1);
    expect(studio.notices.getState().toasts).toHaveLength(0);
    expect(studio.notices.getState().errors).toHaveLength(1);
    fail({ code: 'cancelled', message: 'Stopped.', remedy: '' });
    expect(studio.notices.getState().errors).toHaveLength(1);
  });
});

describe('several seeds', () => {
  const seeds = () => studio.runs.getState().runs.map((run) => run.recipe.seed);
  const recipe = { ...defaultRecipe, steps: 20, seed: 4 };

  test('run one after the other, each to its end', async () => {
    await ready({ stepsPerSecond: 40 });
    void studio.runs.getState().startSeeds(recipe, 3);
    await vi.advanceTimersByTimeAsync(200);
    expect(seeds()).toEqual([4]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seeds()).toEqual([4, 5, 6]);
    expect(studio.runs.getState().runs.map((run) => run.state)).toEqual(['finished', 'finished', 'finished']);
    expect(studio.runs.getState().queue).toEqual([]);
  });

  test('Stop ends all of it', async () => {
    await ready({ stepsPerSecond: 10 });
    void studio.runs.getState().startSeeds(recipe, 3);
    await vi.advanceTimersByTimeAsync(500);
    await studio.runs.getState().stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seeds()).toEqual([4]);
  });
});

describe('marks of runs', () => {
  const storage = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (k: string, v: string) => void kept.set(k, v),
    };
  };

  test('are read back, without those of runs that are gone', () => {
    const own = storage();
    writeMarks(
      [
        { id: 'a', pinned: true, hidden: false },
        { id: 'b', pinned: false, hidden: true },
        { id: 'c', pinned: false, hidden: false },
      ],
      own,
    );
    expect(readMarks(own)).toEqual({ pinned: new Set(['a']), hidden: new Set(['b']) });
  });

  test('whatever stands in the storage, nothing breaks', () => {
    for (const value of ['', 'null', '[]', '{"pinned":3,"hidden":[1,"x"]}', '{'])
      expect(() => readMarks({ getItem: () => value, setItem: () => {} })).not.toThrow();
    expect(readMarks({ getItem: () => '{"hidden":[1,"x"]}', setItem: () => {} }).hidden).toEqual(
      new Set(['x']),
    );
  });

  test('a pinned run stays pinned through its events and a reload of the list', async () => {
    const summary = { id: 'old', state: 'finished' } as unknown as RunSummary;
    const engine = createFakeEngine({ stored: [{ ...summary, steps: [], evals: [] }] });
    const studio = createStudio(engine);
    await studio.runs.getState().load();
    studio.runs.getState().setPinned('old', true);
    await studio.runs.getState().load();
    expect(studio.runs.getState().runs[0]).toMatchObject({ id: 'old', pinned: true, hidden: false });
  });
});
