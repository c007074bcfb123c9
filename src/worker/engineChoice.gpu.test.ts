import { beforeAll, describe, expect, test } from 'vitest';
import { defaultRecipe, type Recipe } from '../tuning/index.ts';
import { createEngine } from './engine.ts';
import type { DeviceReport, Engine, RunEvent } from './protocol.ts';

const ignore = () => {};
const recipe: Recipe = { ...defaultRecipe, promptLength: 5, steps: 2, evalEvery: 2, batchSize: 8 };

let engine: Engine;
let device: DeviceReport;
beforeAll(async () => {
  engine = createEngine(new URL('/', location.href).href);
  device = await engine.openDevice();
  await engine.loadModel({ kind: 'builtin', id: 'tiny' }, ignore);
  await engine.openData({ kind: 'sample', id: 'fact-or-opinion' }, {}, ignore);
  const settings = await engine.suggestTask();
  const split = { kind: 'stratified', train: 0.94, dev: 0.03, test: 0.03, seed: 1 } as const;
  await engine.setTask({ ...settings, split }, ignore);
}, 60_000);

async function run(): Promise<string> {
  let ended: (event: RunEvent) => void = ignore;
  const end = new Promise<RunEvent>((resolve) => {
    ended = resolve;
  });
  const { id } = await engine.startRun(
    recipe,
    (event) => (event.type === 'finished' || event.type === 'failed') && ended(event),
    { paused: false },
  );
  expect(await end).toMatchObject({ type: 'finished' });
  return id;
}

describe('which engine computes', { timeout: 120_000 }, () => {
  test('over a GPU the shaders, over a software adapter the faster of two that were measured', async () => {
    if (!device.software) {
      expect(device.choice.reason).toBe('gpu');
      expect(await engine.compareEngines(recipe)).toBeUndefined();
      return;
    }
    expect(device).toMatchObject({ engine: 'onnx', choice: { reason: 'unmeasured' } });
    // A run that starts ends the comparison, and learns.
    const broken = engine.compareEngines(recipe);
    await run();
    expect(await broken).toBeUndefined();

    const compared = await engine.compareEngines(recipe);
    expect(compared?.choice.reason).toBe('faster');
    const { times, examples } = compared!.choice;
    expect(times.map((time) => time.engine)).toEqual(['onnx', 'webgpu']);
    expect(times.every(({ step, steps }) => step! > 0 && steps >= 1)).toBe(true);
    expect(examples).toBe(8);
    const [faster] = [...times].sort((a, b) => a.step! - b.step!);
    expect(compared?.engine).toBe(faster!.engine);
    // All of it goes on where it is now.
    await run();
  });

  test('the second opinion is asked from either engine, about a soft prompt', async () => {
    const ref = { kind: 'run', run: await run(), which: 'best' } as const;
    for (const name of ['onnx', 'webgpu'] as const) {
      await engine.openDevice(name);
      const { rows, logits, loss, gradient } = await engine.secondOpinion(ref);
      expect(rows).toBe(8);
      expect(gradient.count).toBe(5 * 64);
      expect(logits.magnitude).toBeGreaterThan(1);
      for (const { relative } of [logits, loss, gradient]) expect(relative).toBeLessThan(1e-4);
      expect(logits.largest).toBeGreaterThan(0);
    }
    await expect(engine.secondOpinion({ kind: 'none' })).rejects.toMatchObject({ code: 'bad-prompt' });
  });
});
