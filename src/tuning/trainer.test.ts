import { describe, expect, test } from 'vitest';
import { defaultRecipe, type Recipe } from './recipe.ts';
import {
  type Checkpoint,
  createTrainer,
  type Learner,
  type LearnerState,
  type TrainerOptions,
} from './trainer.ts';

/** A learner of one number with momentum: each step moves it by the step's examples, exactly repeatable. */
function counter(options: { badAt?: number; delay?: number } = {}) {
  let state: LearnerState = { prompt: Float32Array.of(0), optimizer: { momentum: Float32Array.of(0) } };
  const learner: Learner = {
    async step(step, examples) {
      const finite = step !== options.badAt;
      if (finite) {
        const momentum = 0.5 * state.optimizer.momentum[0] + examples[0] / 10;
        state = {
          prompt: Float32Array.of(state.prompt[0] + momentum),
          optimizer: { momentum: Float32Array.of(momentum) },
        };
      }
      const loss = 1 / step;
      if (options.delay) await new Promise((resolve) => setTimeout(resolve, options.delay));
      return { loss, gradNorm: 1, finite, tokens: 10 };
    },
    readState: async () => structuredClone(state),
    writeState: (given) => {
      state = structuredClone(given);
    },
  };
  return { learner, value: () => state.prompt[0] };
}

const recipe: Recipe = { ...defaultRecipe, steps: 10, evalEvery: 4 };
const silent = (learner: Learner): TrainerOptions => ({
  recipe,
  learner,
  batch: (step) => [step * 7],
  onStep: () => {},
  onEvaluated: () => {},
  onState: () => {},
  onCheckpoint: () => {},
});

describe('a run', () => {
  test('evaluates every N steps and at the end, keeps the best on dev, not the last', async () => {
    const { learner } = counter();
    const scores = [0.6, 0.8, 0.7];
    const seen: [number, boolean][] = [];
    const trainer = await createTrainer({
      ...silent(learner),
      evaluate: async () => ({ accuracy: scores.shift()!, loss: 1 }),
      onEvaluated: (step, _, best) => seen.push([step, best]),
    });
    expect(await trainer.run()).toBe('steps');
    expect(seen).toEqual([
      [4, true],
      [8, true],
      [10, false],
    ]);
    expect(trainer.checkpoint.best.step).toBe(8);
    expect(trainer.checkpoint.best.prompt).not.toEqual(trainer.checkpoint.state.prompt);
  });

  test('stops when patience runs out', async () => {
    const trainer = await createTrainer({
      ...silent(counter().learner),
      recipe: { ...recipe, steps: 100, patience: 2 },
      evaluate: async () => ({ accuracy: 0.5, loss: 1 }),
    });
    expect(await trainer.run()).toBe('patience');
    expect(trainer.checkpoint.step).toBe(12);
  });

  test('resumed from a checkpoint equals never stopped', async () => {
    const straight = counter();
    await (await createTrainer(silent(straight.learner))).run();

    const first = counter();
    let kept: Checkpoint | undefined;
    const stopping = await createTrainer({
      ...silent(first.learner),
      onCheckpoint: (checkpoint) => {
        kept ??= structuredClone(checkpoint);
        stopping.stop();
      },
    });
    expect(await stopping.run()).toBe('stopped');
    expect(kept?.step).toBe(4);

    const second = counter();
    await (await createTrainer({ ...silent(second.learner), from: kept })).run();
    expect(second.value()).toBe(straight.value());
  });

  test('a step that is not finite ends the run at the last good checkpoint', async () => {
    const { learner, value } = counter({ badAt: 7 });
    const steps: number[] = [];
    const trainer = await createTrainer({ ...silent(learner), onStep: (step) => steps.push(step) });
    await expect(trainer.run()).rejects.toMatchObject({
      code: 'non-finite-loss',
      message: /step 7 .* step 4/,
    });
    const { learner: fresh, value: good } = counter();
    const short = await createTrainer({ ...silent(fresh), recipe: { ...recipe, steps: 4 } });
    await short.run();
    expect(value()).toBe(good());
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('a dev loss that is not finite is never the best', async () => {
    const { learner } = counter();
    const trainer = await createTrainer({
      ...silent(learner),
      evaluate: async () => ({ accuracy: 0.9, loss: Number.NaN }),
    });
    await expect(trainer.run()).rejects.toMatchObject({
      code: 'non-finite-loss',
      message: /dev loss after step 4/,
    });
    expect(trainer.checkpoint.best.step).toBe(0);
  });

  test('pauses, steps once, goes on', async () => {
    const { learner } = counter({ delay: 1 });
    const states: string[] = [];
    const trainer = await createTrainer({
      ...silent(learner),
      onState: (state, step) => {
        states.push(`${state} ${step}`);
        if (states.length === 1) trainer.stepOnce();
        if (state === 'paused' && step === 1) trainer.resume();
      },
    });
    expect(await trainer.run({ paused: true })).toBe('steps');
    // A single step is no going on: the run is paused before and after it.
    expect(states).toEqual(['paused 0', 'paused 1', 'running 1']);
    expect(trainer.checkpoint.step).toBe(10);
  });

  test('every press of one step counts, also one that comes while a step is evaluated', async () => {
    const { learner } = counter({ delay: 1 });
    const rested: number[] = [];
    const scenes: boolean[] = [];
    const trainer = await createTrainer({
      ...silent({
        ...learner,
        step: (step, examples, options) => {
          scenes.push(options.scene === true);
          return learner.step(step, examples, options);
        },
      }),
      wantsScene: () => false,
      evaluate: async () => {
        trainer.stepOnce();
        return { accuracy: 0.5, loss: 1 };
      },
      onState(state, step) {
        if (state === 'running') return;
        rested.push(step);
        if (step === 0) for (let presses = 0; presses < 4; presses++) trainer.stepOnce();
        else trainer.stop();
      },
    });
    expect(await trainer.run({ paused: true })).toBe('stopped');
    expect(rested).toEqual([0, 5]);
    // Each of them shows its picture, however fast they come.
    expect(scenes).toEqual([true, true, true, true, true]);
  });

  test('keeps two steps on their way and no more', async () => {
    let now = 0;
    let most = 0;
    const { learner } = counter();
    const trainer = await createTrainer({
      ...silent({
        ...learner,
        step: async (...call) => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setTimeout(resolve, 1));
          now--;
          return learner.step(...call);
        },
      }),
    });
    await trainer.run();
    expect(most).toBe(2);
  });
});

describe('snapshots of the prompt', () => {
  test('are read behind the steps that are on their way, which nothing waits for', async () => {
    const plain = counter({ delay: 2 });
    const seen: number[] = [];
    let launched = 0;
    const onTheWay: number[] = [];
    const learner: Learner = {
      ...plain.learner,
      step(step, examples, options) {
        launched = step;
        return plain.learner.step(step, examples, options);
      },
      readPrompt() {
        onTheWay.push(launched);
        // As it is now: the learner of this test changes when a step is submitted, as a GPU's queue orders it.
        const now = Float32Array.of(plain.value());
        return new Promise((resolve) => setTimeout(() => resolve(now), 5));
      },
    };
    const trainer = await createTrainer({
      ...silent(learner),
      snapshotEvery: 3,
      onSnapshot: (step) => seen.push(step),
    });
    await trainer.run();
    expect(seen).toEqual([3, 4, 6, 8, 9, 10]);
    expect(onTheWay).toEqual([3, 6, 9]);
  });

  test('come every N steps and with every checkpoint, each as it was after its step, and change nothing', async () => {
    const seen: [number, number][] = [];
    const { learner, value } = counter({ delay: 1 });
    const plain = counter();
    const trainer = await createTrainer({
      ...silent(learner),
      snapshotEvery: 3,
      onSnapshot: (step, prompt) => seen.push([step, prompt[0]!]),
    });
    await trainer.run();
    await (await createTrainer(silent(plain.learner))).run();
    expect(value()).toBe(plain.value());
    expect(seen.map(([step]) => step)).toEqual([3, 4, 6, 8, 9, 10]);
    // Steps 1 to 3: momentum halves, each step adds 7 tenths of its number.
    expect(seen[0]![1]).toBeCloseTo(0.7 + (0.35 + 1.4) + (0.175 + 0.7 + 2.1), 5);
  });
});
