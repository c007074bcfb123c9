import { PreludeError } from '../errors.ts';
import type { Recipe } from './recipe.ts';

/** What a step left behind, read back late. */
export interface StepReport {
  loss: number;
  /** L2 norm of the prompt's gradient, before clipping. */
  gradNorm: number;
  /** False where loss or gradient was NaN or infinite; the prompt was then left as it was. */
  finite: boolean;
  tokens: number;
  scene?: SceneNumbers;
}

/** Norms of a step, for a person's eyes. */
export interface SceneNumbers {
  /** [P] L2 norm of each virtual token's gradient, and how far it is from where it started. */
  tokenGrad: Float32Array;
  tokenMoved: Float32Array;
  /** L2 norm of d loss / d (residual stream that enters layer i). */
  encoderGrad: Float32Array;
  decoderGrad: Float32Array;
}

/** The state that training changes. Plain arrays: it goes into checkpoints bit for bit. */
export interface LearnerState {
  /** [P, d] */
  prompt: Float32Array<ArrayBuffer>;
  /** The optimiser's tensors by name. */
  optimizer: Record<string, Float32Array<ArrayBuffer>>;
}

export interface StepOptions {
  scene: boolean;
  /** In place of the recipe's, for this step. */
  learningRate?: number;
}

/** A soft prompt that can be stepped. The engine's is on the GPU; tests have one in plain numbers. */
export interface Learner {
  /** Submits step `step` (1, 2, ...) on these training examples; the report arrives when the device has finished it. */
  step(step: number, examples: readonly number[], options: StepOptions): Promise<StepReport>;
  readState(): Promise<LearnerState>;
  /**
   * The prompt after the steps that were submitted before this call, without waiting for them; absent where only `readState`
   * after all of them can tell.
   */
  readPrompt?(): Promise<Float32Array<ArrayBuffer>>;
  writeState(state: LearnerState): void;
}

/** All that is needed to go on as if never stopped. */
export interface Checkpoint {
  step: number;
  state: LearnerState;
  /** The best prompt on dev so far; step 0 before the first evaluation. */
  best: { step: number; accuracy: number; loss: number; prompt: Float32Array<ArrayBuffer> };
  /** Evaluations since then. */
  sinceBest: number;
}

export interface DevScore {
  accuracy: number;
  loss: number;
}

export interface TrainerOptions {
  recipe: Recipe;
  learner: Learner;
  /** Training examples of a step. */
  batch(step: number): number[];
  /** Scores the learner's present prompt on the dev set; undefined where there is none. */
  evaluate?(): Promise<DevScore>;
  from?: Checkpoint;
  /** Steps whose work may be on its way at once. */
  inFlight?: number;
  onStep(step: number, report: StepReport): void;
  onEvaluated(step: number, score: DevScore, best: boolean): void;
  onState(state: 'running' | 'paused', step: number): void;
  /** Called after every evaluation, and when a run pauses or ends. */
  onCheckpoint(checkpoint: Checkpoint): void | Promise<void>;
  /** Shows the prompt after every `snapshotEvery` steps, and with every checkpoint; 0: with these only. */
  snapshotEvery?: number;
  onSnapshot?(step: number, prompt: Float32Array<ArrayBuffer>): void;
  /** Whether this step should report its scene. */
  wantsScene?(): boolean;
}

export type TrainingEnd = 'steps' | 'patience' | 'stopped';

export interface Trainer {
  /**
   * Steps until the recipe ends, patience runs out, or `stop`.
   * @throws PreludeError `non-finite-loss`, after going back to the last good checkpoint.
   */
  run(options?: { paused?: boolean }): Promise<TrainingEnd>;
  pause(): void;
  resume(): void;
  /** One step, then paused. Each call is a step of its own, also while an earlier one is still under way. */
  stepOnce(): void;
  stop(): void;
  readonly checkpoint: Checkpoint;
}

/** Steps kept on their way to the GPU: enough that its queue never drains, few enough that a press is felt. */
const IN_FLIGHT = 2;

export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { recipe, learner, evaluate } = options;
  let checkpoint: Checkpoint;
  if (options.from) {
    checkpoint = options.from;
    learner.writeState(checkpoint.state);
  } else {
    const state = await learner.readState();
    checkpoint = {
      step: 0,
      state,
      best: { step: 0, accuracy: -1, loss: Number.POSITIVE_INFINITY, prompt: state.prompt.slice() },
      sinceBest: 0,
    };
  }

  let mode: 'running' | 'paused' | 'stopped' = 'running';
  /** Single steps asked for and not begun. */
  let owed = 0;
  let wake: () => void = () => {};
  const set = (next: typeof mode) => {
    if (mode === 'stopped') return;
    mode = next;
    wake();
  };
  let best = checkpoint.best;
  let sinceBest = checkpoint.sinceBest;
  let lastEvaluated = checkpoint.step;

  /** Snapshots on their way: they arrive in the order of their steps. */
  let arriving: Promise<void> = Promise.resolve();
  const takeSnapshot = (step: number) => {
    const prompt = learner.readPrompt!();
    arriving = arriving.then(async () => options.onSnapshot!(step, await prompt));
    // Of a device that is lost the step itself tells.
    arriving.catch(() => undefined);
  };

  const save = async (step: number) => {
    checkpoint = { step, state: await learner.readState(), best, sinceBest };
    await arriving;
    options.onSnapshot?.(step, checkpoint.state.prompt);
    await options.onCheckpoint(checkpoint);
  };

  /** Back to the last good state, and an end. */
  const goBack = (message: string): never => {
    learner.writeState(checkpoint.state);
    throw new PreludeError('non-finite-loss', `${message} The run went back to step ${checkpoint.step}.`, {
      remedy: 'Try a smaller learning rate, gradient clipping, or a start from the vocabulary.',
    });
  };

  const evaluateAt = async (step: number): Promise<void> => {
    lastEvaluated = step;
    if (evaluate) {
      const score = await evaluate();
      if (!Number.isFinite(score.loss)) goBack(`The dev loss after step ${step} is not a finite number.`);
      const better =
        score.accuracy > best.accuracy || (score.accuracy === best.accuracy && score.loss < best.loss);
      if (better) best = { step, ...score, prompt: (await learner.readState()).prompt };
      sinceBest = better ? 0 : sinceBest + 1;
      options.onEvaluated(step, score, better);
    } else
      best = {
        step,
        accuracy: -1,
        loss: Number.POSITIVE_INFINITY,
        prompt: (await learner.readState()).prompt,
      };
    await save(step);
  };

  return {
    get checkpoint() {
      return checkpoint;
    },
    pause: () => set('paused'),
    resume() {
      owed = 0;
      set('running');
    },
    stepOnce() {
      owed++;
      set('paused');
    },
    stop: () => set('stopped'),
    async run({ paused = false } = {}) {
      if (paused) mode = 'paused';
      let step = checkpoint.step;
      let reported: { mode: typeof mode; step: number } | undefined;
      const report = (state: 'running' | 'paused') => {
        reported = { mode: state, step };
        options.onState(state, step);
      };
      const onTheWay: Promise<void>[] = [];
      let bad: number | undefined;
      const settle = async (atMost: number) => {
        while (onTheWay.length > atMost) await onTheWay.shift();
        if (bad === undefined) return;
        await Promise.all(onTheWay.splice(0));
        goBack(`The loss of step ${bad} is not a finite number.`);
      };
      const launch = (at: number) => {
        // Who takes one step alone looks at it.
        const scene = mode === 'paused' || (options.wantsScene?.() ?? false);
        return learner.step(at, options.batch(at), { scene }).then((report) => {
          if (!report.finite) bad ??= at;
          else if (bad === undefined) options.onStep(at, report);
        });
      };

      while (step < recipe.steps && mode !== 'stopped') {
        if (mode === 'paused' && owed === 0) {
          await settle(0);
          if (reported?.mode !== 'paused' || reported.step < step) {
            if (step > checkpoint.step) await save(step);
            report('paused');
          }
          if (mode === 'paused' && owed === 0) await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        if (mode === 'paused') owed--;
        else if (reported?.mode !== 'running') report('running');
        step++;
        const launched = launch(step);
        const snapshotNow = options.onSnapshot && options.snapshotEvery && step % options.snapshotEvery === 0;
        if (snapshotNow && learner.readPrompt) takeSnapshot(step);
        // One that fails after another has ended the run is waited for by nobody.
        launched.catch(() => undefined);
        onTheWay.push(launched);
        await settle((options.inFlight ?? IN_FLIGHT) - 1);
        if (step % recipe.evalEvery === 0 || step === recipe.steps) {
          await settle(0);
          await evaluateAt(step);
          if (recipe.patience > 0 && sinceBest >= recipe.patience) return 'patience';
        } else if (snapshotNow && !learner.readPrompt) {
          await settle(0);
          options.onSnapshot!(step, (await learner.readState()).prompt);
        }
      }
      await settle(0);
      // A run that was stopped between two evaluations still has a best prompt to show for its last steps.
      if (step > lastEvaluated) await evaluateAt(step);
      return mode === 'stopped' ? 'stopped' : 'steps';
    },
  };
}
