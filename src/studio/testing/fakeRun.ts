/** A run of the fake engine: smooth, noisy curves in place of arithmetic. */
import type { Recipe } from '../../tuning/recipe.ts';
import type { RunEvent, RunSummary, SceneFrame, StepRecord } from '../../worker/protocol.ts';
import { hash01 } from './fakeData.ts';

export interface FakeRunOptions {
  stepsPerSecond: number;
  /** The loss becomes NaN at this step. */
  failAt?: number;
}

const wobble = (seed: number, step: number, salt: number) => hash01(`${seed}:${step}`, salt) - 0.5;

function fakeLoss(recipe: Recipe, step: number): number {
  return 0.42 + 0.6 * Math.exp(-step / 70) + 0.12 * wobble(recipe.seed, step, 1);
}

export function fakeAccuracy(recipe: Recipe, step: number): number {
  const top = 0.62 + 0.2 * Math.min(1, recipe.promptLength / 20);
  return top - (top - 0.49) * Math.exp(-step / 80) + 0.02 * wobble(recipe.seed, step, 2);
}

function fakeFrame(recipe: Recipe, step: number): SceneFrame {
  const scale = 0.03 * Math.exp(-step / 300);
  const P = recipe.promptLength;
  const layer = (k: number, n: number) =>
    scale * (0.4 + (0.6 * (k + 1)) / n) * (1 + 0.4 * wobble(recipe.seed, step, k + 20));
  return {
    step,
    tokenGrad: Float32Array.from(
      { length: P },
      (_, i) => scale * (0.2 + hash01(`t${i}`, recipe.seed)) * (1 + 0.5 * wobble(recipe.seed, step, i + 50)),
    ),
    tokenMoved: Float32Array.from(
      { length: P },
      (_, i) => (0.5 + hash01(`m${i}`, recipe.seed)) * Math.sqrt(step),
    ),
    encoderGrad: Float32Array.from({ length: 4 }, (_, i) => layer(i, 4)),
    decoderGrad: Float32Array.from({ length: 4 }, (_, i) => layer(i, 4) * 1.4),
  };
}

export interface FakeRun {
  summary: RunSummary;
  pause(): void;
  resume(): void;
  step(): void;
  stop(): void;
}

export function startFakeRun(
  summary: RunSummary,
  onEvent: (event: RunEvent) => void,
  { paused, stepsPerSecond, failAt }: FakeRunOptions & { paused: boolean },
): FakeRun {
  const { recipe } = summary;
  let timer: ReturnType<typeof setInterval> | undefined;
  const interval = 100;

  const end = (reason: 'steps' | 'stopped') => {
    clearInterval(timer);
    summary.state = reason === 'steps' ? 'finished' : 'stopped';
    const best = summary.evals.reduce((a, b) => (b.accuracy > a.accuracy ? b : a), summary.evals[0]!);
    onEvent({ type: 'finished', reason, bestStep: best?.step ?? 0 });
  };

  const advance = (count: number) => {
    const records: StepRecord[] = [];
    for (let i = 0; i < count && summary.step < recipe.steps; i++) {
      const step = ++summary.step;
      if (step === failAt) {
        clearInterval(timer);
        summary.state = 'failed';
        summary.error = {
          code: 'non-finite-loss',
          message: `The loss became infinite at step ${step}.`,
          remedy: 'The prompt of step 0 is kept. Try a smaller learning rate.',
        };
        onEvent({ type: 'failed', error: summary.error, lastGoodStep: 0 });
        return;
      }
      const record = { step, loss: fakeLoss(recipe, step), gradNorm: 0.1 };
      records.push(record);
      summary.steps.push(record);
      if (step % recipe.evalEvery === 0) {
        const accuracy = fakeAccuracy(recipe, step);
        const best = summary.evals.every((e) => e.accuracy < accuracy);
        const evaluation = { step, accuracy, loss: record.loss + 0.05, best };
        summary.evals.push(evaluation);
        onEvent({ type: 'eval', record: evaluation });
      }
    }
    summary.seconds += records.length / stepsPerSecond;
    onEvent({
      type: 'steps',
      records,
      stepsPerSecond,
      tokensPerSecond: stepsPerSecond * 32 * 40,
      secondsLeft: (recipe.steps - summary.step) / stepsPerSecond,
      gpuBytes: 61_000_000,
    });
    onEvent({ type: 'scene', frame: fakeFrame(recipe, summary.step) });
    if (summary.step >= recipe.steps) end('steps');
  };

  const setState = (state: RunSummary['state']) => {
    summary.state = state;
    onEvent({ type: 'state', state, step: summary.step });
  };
  const go = () => {
    setState('running');
    timer = setInterval(() => advance(Math.max(1, Math.round((stepsPerSecond * interval) / 1000))), interval);
  };
  const pause = () => {
    clearInterval(timer);
    setState('paused');
  };
  if (paused) pause();
  else go();
  return {
    summary,
    pause,
    resume: go,
    step() {
      advance(1);
      if (summary.state !== 'finished') pause();
    },
    stop: () => end('stopped'),
  };
}
