/**
 * Runs: started, paused, stopped, kept in this browser at every evaluation, taken up again after a closed tab or a lost
 * device, and named as prompts to read with.
 */
import { PreludeError, reportError } from '../errors.ts';
import { openRunStore, type RunStore } from '../prompts/index.ts';
import {
  type Checkpoint,
  createSampler,
  createTrainer,
  type DevScore,
  type PromptSnapshot,
  parseRecipe,
  planAnswers,
  type Recipe,
  type Scorer,
  snapshotLimit,
  type Trainer,
} from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import { checkSame, dropStepsAfter, type KeptRunState, rowsToShow, snapshot, uniqueName } from './keptRun.ts';
import type { LiveLearner, Place } from './place.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { EvalRecord, RunEvent, RunPlan, RunState, RunSummary, StepRecord } from './protocol.ts';
import { best, labelScores, type ReadablePrompt } from './reading.ts';
import { createStepFeed } from './runEvents.ts';
import { createRunHistory } from './runHistory.ts';
import { devSample, makeLearner, planRun, startOf, trainingExamples } from './runPlan.ts';
import { createRunWatch } from './watch.ts';

export interface RunDesk {
  plan(recipe: Recipe): Promise<RunPlan>;
  start(
    recipe: Recipe,
    onEvent: (event: RunEvent) => void,
    options: { paused: boolean },
  ): Promise<RunSummary>;
  resumeStored(run: string, onEvent: (event: RunEvent) => void): Promise<RunSummary>;
  pause(): void;
  resume(): void;
  step(): void;
  /** Whether a run goes or is being made. */
  busy(): boolean;
  /** Resolves when the run that was going has ended. */
  stop(): Promise<void>;
  /** Work that a run would disturb, and that no run may start beside. @throws PreludeError `bad-recipe` while one is going. */
  quiet<R>(work: () => Promise<R>): Promise<R>;
  list(): Promise<RunSummary[]>;
  rename(run: string, name: string): Promise<void>;
  remove(run: string): Promise<void>;
  get(run: string): Promise<KeptRunState>;
  /** The prompt of a run to read with: the one being learned at this moment, the best on dev, or that of a step of its history. */
  prompt(run: string, which: 'best' | 'current', step?: number): Promise<ReadablePrompt>;
  history(run: string): Promise<readonly PromptSnapshot[]>;
  recordTest(run: string, test: NonNullable<RunSummary['test']>): Promise<void>;
}

/** A device that is lost more often than this during a run is not worth a further try. */
const MOST_RECOVERIES = 3;

interface LiveRun {
  id: string;
  trainer: Trainer;
  learner: LiveLearner;
  /** What the learner was made for: its buffers mean nothing on a later device. */
  place: Place;
  /** What the person pressed last, for a run that has to be made anew meanwhile. */
  asked?: 'pause' | 'stop';
  ended: Promise<void>;
}

export function createRunDesk(device: DeviceDesk, task: () => PreparedTask): RunDesk {
  let store: Promise<RunStore<KeptRunState> | undefined> | undefined;
  const runs = new Map<string, KeptRunState>();
  let live: LiveRun | undefined;
  /** Set from the first moment of a start, before there is a learner. */
  let starting = false;
  let loaded: Promise<void> | undefined;

  const openStore = () => {
    // Private windows may refuse; runs then live as long as the page.
    store ??= openRunStore<KeptRunState>().catch(() => undefined);
    return store;
  };
  const loadKept = () => {
    loaded ??= (async () => {
      for (const { id, state } of (await (await openStore())?.list().catch(() => [])) ?? []) {
        if (runs.has(id)) continue;
        const unfinished =
          state.summary.state !== 'finished' && state.summary.step < state.summary.recipe.steps;
        const stopped: RunState = unfinished ? 'stopped' : 'finished';
        runs.set(id, { ...state, summary: { ...state.summary, state: stopped, resumable: unfinished } });
      }
    })();
    return loaded;
  };
  const history = createRunHistory(openStore);
  const keep = async (run: KeptRunState) => {
    runs.set(run.summary.id, run);
    await (await openStore())
      ?.put(run.summary.id, { state: run, updatedAt: new Date().toISOString() })
      .catch(() => {});
  };
  const need = async (id: string): Promise<KeptRunState> => {
    await loadKept();
    const run = runs.get(id);
    if (!run)
      throw new PreludeError('storage', 'This run is no longer here.', { remedy: 'Choose another run.' });
    return run;
  };

  const launch = async (
    run: KeptRunState,
    onEvent: (event: RunEvent) => void,
    options: { paused: boolean; from?: Checkpoint },
  ): Promise<RunSummary> => {
    const { id, recipe } = run.summary;
    const current = task();
    const examples = trainingExamples(recipe, current);
    const sampler = createSampler(examples.length, recipe.batchSize, recipe.seed);
    const plan = planRun(recipe, device, current, examples);
    const dev = devSample(current.dev, recipe.seed);
    const answers = planAnswers(current.verbalizers.map(({ ids }) => ids));
    const limit = snapshotLimit(recipe.promptLength, device.need().model.info.width);
    await history.of(id);
    if (!options.from) history.add(id, { step: 0, values: run.start.values }, limit);
    const watch = createRunWatch();
    const feed = createStepFeed(onEvent, {
      steps: recipe.steps,
      gpuBytes: () => device.place().liveBytes(),
    });
    const change = (part: Partial<RunSummary>) => {
      const now = runs.get(id)!;
      runs.set(id, { ...now, summary: { ...now.summary, ...part } });
    };
    let clock: number | undefined;
    const stopClock = () => {
      if (clock === undefined) return;
      change({ seconds: runs.get(id)!.summary.seconds + (performance.now() - clock) / 1000 });
      clock = undefined;
    };

    const evaluate = async (learner: LiveLearner, scorer: Scorer): Promise<DevScore> => {
      const { source } = learner;
      const chosen = dev.map((index) => current.examples[index]);
      const scores = await scorer.score(chosen.map(({ ids }) => ({ ids, prompt: source, answers })));
      const predicted = scores.map(best);
      const losses = scores.map(
        (own, i) => -Math.log(labelScores(current.labels, own)[chosen[i].label].probability),
      );
      const loss = losses.reduce((a, b) => a + b, 0) / losses.length;
      const { step, steps } = runs.get(id)!.summary;
      for (const notice of watch.evaluated(step, loss, predicted, current.labels, steps))
        onEvent({ type: 'notice', ...notice });
      return { accuracy: predicted.filter((p, i) => p === chosen[i].label).length / chosen.length, loss };
    };

    const prepare = async (from: Checkpoint | undefined) => {
      const place = device.place();
      const resident = device.need();
      const learner = await makeLearner(
        { recipe, start: run.start.values },
        place,
        resident,
        current,
        examples,
        plan,
        onEvent,
      );
      const trainer = await createTrainer({
        recipe,
        learner,
        from,
        batch: sampler.batch,
        evaluate: dev.length > 0 ? () => evaluate(learner, resident.scorer) : undefined,
        wantsScene: feed.wantsScene,
        snapshotEvery: Math.ceil(recipe.steps / limit),
        onSnapshot: (step, values) => history.add(id, { step, values }, limit),
        onStep(step, report) {
          const record: StepRecord = { step, loss: report.loss, gradNorm: report.gradNorm };
          const { summary } = runs.get(id)!;
          summary.steps.push(record);
          change({ step });
          feed.step(step, report);
        },
        onEvaluated(step, score, isBest) {
          feed.flush();
          const record: EvalRecord = { step, accuracy: score.accuracy, loss: score.loss, best: isBest };
          runs.get(id)!.summary.evals.push(record);
          onEvent({ type: 'eval', record });
        },
        onState(state, step) {
          feed.flush();
          stopClock();
          if (state === 'running') clock = performance.now();
          change({ state });
          onEvent({ type: 'state', state, step });
        },
        async onCheckpoint(checkpoint) {
          if (clock !== undefined) {
            stopClock();
            clock = performance.now();
          }
          await keep({ ...runs.get(id)!, checkpoint });
        },
      });
      return { learner, trainer, place };
    };

    let parts = await prepare(options.from);
    const first = parts.trainer.checkpoint;
    change({ state: options.paused ? 'paused' : 'running' });
    await keep({ ...runs.get(id)!, checkpoint: first });

    /** @returns what to tell the page when all is put away. */
    const train = async (): Promise<RunEvent[]> => {
      let recoveries = 0;
      let { paused } = options;
      for (;;) {
        try {
          if (recoveries > 0 && !device.isCurrent(parts.place)) {
            // Everything on the GPU is gone; the checkpoint is in JavaScript memory.
            const { checkpoint } = parts.trainer;
            dropStepsAfter(runs.get(id)!.summary, checkpoint.step);
            change({ step: checkpoint.step });
            await device.ready();
            parts = await prepare(checkpoint.step > 0 ? checkpoint : undefined);
            const asked = live?.id === id ? live.asked : undefined;
            if (live?.id === id) live = { ...live, ...parts };
            paused = asked === 'pause';
            if (asked === 'stop') parts.trainer.stop();
            onEvent({
              type: 'notice',
              code: 'recovered',
              message: `The graphics device was lost. The run went on by itself from step ${checkpoint.step}.`,
              remedy: 'Nothing to do. If it happens often, choose a smaller batch or close other tabs.',
            });
          }
          const reason = await parts.trainer.run({ paused });
          feed.flush();
          stopClock();
          const { checkpoint } = parts.trainer;
          const state: RunState = reason === 'stopped' ? 'stopped' : 'finished';
          change({ state, resumable: reason === 'stopped' && checkpoint.step < recipe.steps });
          await keep({ ...runs.get(id)!, checkpoint });
          return [
            { type: 'state', state, step: checkpoint.step },
            { type: 'finished', reason, bestStep: checkpoint.best.step },
          ];
        } catch (error) {
          if (error instanceof PreludeError || !(await device.wasLost(parts.place))) throw error;
          if (++recoveries > MOST_RECOVERIES)
            throw new PreludeError('device-lost', `The graphics device was lost ${recoveries} times.`, {
              remedy:
                'Close other tabs that use it, choose a smaller batch or model, then take the run up again.',
            });
        }
      }
    };
    // From the next turn on: the first message then finds the run in its place.
    const ended = Promise.resolve()
      .then(train)
      .catch(async (error): Promise<RunEvent[]> => {
        feed.flush();
        stopClock();
        const report = reportError(error);
        const { checkpoint } = parts.trainer;
        dropStepsAfter(runs.get(id)!.summary, checkpoint.step);
        change({ state: 'failed', error: report, step: checkpoint.step, resumable: checkpoint.step > 0 });
        await keep({ ...runs.get(id)!, checkpoint });
        return [
          { type: 'state', state: 'failed', step: checkpoint.step },
          { type: 'failed', error: report, lastGoodStep: checkpoint.step },
        ];
      })
      .then((last) => {
        live = undefined;
        if (device.isCurrent(parts.place)) parts.learner.destroy();
        for (const event of last) onEvent(event);
      });
    live = { id, ...parts, ended };
    return snapshot(runs.get(id)!.summary);
  };

  const guarded = async <R>(begin: () => Promise<R>): Promise<R> => {
    if (live || starting)
      throw new PreludeError('bad-recipe', 'Another run is going.', {
        remedy: 'Stop it, or wait until it has finished.',
      });
    starting = true;
    try {
      return await begin();
    } finally {
      starting = false;
    }
  };

  return {
    plan: async (recipe) => planRun(recipe, device, task(), trainingExamples(recipe, task())),

    start: (given, onEvent, options) =>
      guarded(async () => {
        const recipe = parseRecipe(given);
        const resident = device.need();
        const current = task();
        if (current.train.length === 0)
          throw new PreludeError('bad-labels', 'There are no rows to train on.', {
            remedy: 'Give the train part a share of the rows on the Data station.',
          });
        await loadKept();
        const start = await startOf(recipe, resident, current);
        const { devFile: _, testFile: __, ...settings } = current.settings;
        const state = { prompt: start.values.slice(), optimizer: {} };
        const summary: RunSummary = {
          id: crypto.randomUUID(),
          name: uniqueName(current.dataName, [...runs.values()]),
          state: 'starting',
          recipe,
          modelId: resident.report.id,
          modelTitle: resident.report.title,
          dataName: current.dataName,
          step: 0,
          steps: [],
          evals: [],
          seconds: 0,
          learned: recipe.promptLength * resident.model.info.width,
          resumable: false,
        };
        const run: KeptRunState = {
          summary,
          fingerprint: resident.report.fingerprint,
          settings,
          mended: current.mended,
          labels: current.verbalizers.map(({ label, text }) => ({ label, text })),
          examples: rowsToShow(current),
          start,
          checkpoint: {
            step: 0,
            state,
            best: { step: 0, accuracy: -1, loss: Number.POSITIVE_INFINITY, prompt: state.prompt },
            sinceBest: 0,
          },
        };
        runs.set(summary.id, run);
        try {
          return await launch(run, onEvent, options);
        } catch (error) {
          runs.delete(summary.id);
          throw error;
        }
      }),

    resumeStored: (id, onEvent) =>
      guarded(async () => {
        const run = await need(id);
        checkSame(run, device.need(), task());
        const { checkpoint } = run;
        dropStepsAfter(run.summary, checkpoint.step);
        run.summary = { ...run.summary, step: checkpoint.step, resumable: false, error: undefined };
        return launch(run, onEvent, { paused: false, from: checkpoint.step > 0 ? checkpoint : undefined });
      }),

    pause() {
      if (live) live.asked = 'pause';
      live?.trainer.pause();
    },
    resume() {
      if (live) live.asked = undefined;
      live?.trainer.resume();
    },
    step() {
      if (live) live.asked = 'pause';
      live?.trainer.stepOnce();
    },
    busy: () => live !== undefined || starting,
    async stop() {
      const going = live;
      if (going) going.asked = 'stop';
      going?.trainer.stop();
      await going?.ended;
    },

    quiet: guarded,
    async list() {
      await loadKept();
      return [...runs.values()].map(({ summary }) => snapshot(summary));
    },
    async rename(id, name) {
      const run = await need(id);
      await keep({ ...run, summary: { ...run.summary, name } });
    },
    async remove(id) {
      if (live?.id === id) {
        const { trainer, ended } = live;
        trainer.stop();
        await ended;
      }
      runs.delete(id);
      history.forget(id);
      await (await openStore())?.delete(id);
    },
    get: need,
    async history(id) {
      await need(id);
      return history.of(id);
    },
    async prompt(id, which, step) {
      const { summary, checkpoint, start } = await need(id);
      const length = summary.recipe.promptLength;
      const common = { start: { values: start.values, words: start.startedFrom } };
      if (step !== undefined) {
        const values = (await history.of(id)).find((snapshot) => snapshot.step === step)?.values;
        if (!values)
          throw new PreludeError('storage', `The prompt of step ${step} is not kept.`, {
            remedy: 'Choose another step.',
          });
        return { ...common, source: { kind: 'values', length, values }, values: async () => values };
      }
      if (which === 'current' && live?.id === id && device.isCurrent(live.place)) {
        const { learner } = live;
        return {
          ...common,
          source: learner.source,
          values: async () => (await learner.readState()).prompt,
        };
      }
      const values = which === 'best' ? checkpoint.best.prompt : checkpoint.state.prompt;
      return { ...common, source: { kind: 'values', length, values }, values: async () => values };
    },
    async recordTest(id, test) {
      const run = await need(id);
      await keep({ ...run, summary: { ...run.summary, test } });
    },
  };
}
