/** Runs: the one that is going, its events folded in, and those of earlier today or of another day. */
import { createStore } from 'zustand/vanilla';
import type { ErrorReport } from '../../errors.ts';
import type { Recipe } from '../../tuning/recipe.ts';
import type {
  Engine,
  NoticeCode,
  Progress,
  RunEvent,
  RunPlan,
  RunSummary,
  SceneFrame,
} from '../../worker/protocol.ts';
import { asReport } from './errors.ts';
import type { Evaluations } from './evaluations.ts';
import type { Notices } from './notices.ts';
import { readMarks, writeMarks } from './runMarks.ts';

export interface RunSpeed {
  stepsPerSecond: number;
  tokensPerSecond: number;
  secondsLeft: number;
  gpuBytes: number;
}

export interface RunNotice {
  code: NoticeCode;
  message: string;
  remedy: string;
}

/** A run as the page sees it: the engine's summary with what came in since. */
export interface RunView extends RunSummary {
  frame?: SceneFrame;
  speed?: RunSpeed;
  progress?: Progress;
  notices: RunNotice[];
  /** Not drawn in the charts. */
  hidden: boolean;
  /** Stands first in the list of runs. */
  pinned: boolean;
  finishedBecause?: 'steps' | 'patience' | 'stopped';
  bestStep?: number;
}

export interface RunsState {
  /** Oldest first. */
  runs: RunView[];
  /** The run that is warm: going now, or the last one looked at. */
  currentId?: string;
  /** A start that the engine has not answered yet, and how far it is. */
  starting: boolean;
  startProgress?: Progress;
  /** Recipes that follow when the run that goes has come to its end. */
  queue: Recipe[];
  plan?: RunPlan;
  planError?: ErrorReport;

  /** Reads the runs that the engine keeps from earlier visits. */
  load(): Promise<void>;
  /** What a run of this recipe would need; kept for the counts bar and the preflight. */
  planFor(recipe: Recipe): Promise<void>;
  start(recipe: Recipe, options?: { paused: boolean }): Promise<void>;
  /** The recipe with its seed and the ones after it, one run after another; Stop ends all of it. */
  startSeeds(recipe: Recipe, count: number): Promise<void>;
  resumeStored(id: string): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  step(): Promise<void>;
  stop(): Promise<void>;
  select(id: string): void;
  /** Something that the page itself has noticed about a run. */
  tell(id: string, notice: RunNotice): void;
  setHidden(id: string, hidden: boolean): void;
  setPinned(id: string, pinned: boolean): void;
  rename(id: string, name: string): Promise<void>;
  /** Takes the run off the list; the engine forgets it when the undo has passed. */
  remove(id: string): void;
}

export function viewOf(summary: RunSummary): RunView {
  return {
    ...summary,
    steps: [...summary.steps],
    evals: [...summary.evals],
    notices: [],
    hidden: false,
    pinned: false,
  };
}

/**
 * A run with one more event. `steps` grows in place: a copy at every event of a 30,000-step run would cost more than the
 * drawing; the run object itself is new each time, which is what subscribers compare.
 */
export function foldEvent(run: RunView, event: RunEvent): RunView {
  switch (event.type) {
    case 'state':
      return {
        ...run,
        state: event.state,
        step: event.step,
        resumable: isLive(event.state) ? false : run.resumable,
      };
    case 'steps': {
      const last = event.records.at(-1);
      if (!last) return run;
      // After a non-finite loss the engine goes back to a checkpoint: steps that are done again replace the old ones.
      const from = event.records[0]!.step;
      while (run.steps.length && run.steps.at(-1)!.step >= from) run.steps.pop();
      for (const record of event.records) run.steps.push(record);
      const { stepsPerSecond, tokensPerSecond, secondsLeft, gpuBytes } = event;
      return {
        ...run,
        step: last.step,
        progress: undefined,
        seconds: run.seconds + (stepsPerSecond > 0 ? event.records.length / stepsPerSecond : 0),
        speed: { stepsPerSecond, tokensPerSecond, secondsLeft, gpuBytes },
      };
    }
    case 'scene':
      return { ...run, frame: event.frame };
    case 'eval':
      return {
        ...run,
        progress: undefined,
        evals: [...run.evals.filter((e) => e.step < event.record.step), event.record],
      };
    case 'progress':
      // Work that is done is no longer waited for.
      return { ...run, progress: event.progress.done < event.progress.total ? event.progress : undefined };
    case 'notice': {
      const { code, message, remedy } = event;
      return { ...run, notices: [...run.notices.filter((n) => n.code !== code), { code, message, remedy }] };
    }
    case 'failed':
      return { ...run, state: 'failed', error: event.error, step: event.lastGoodStep, progress: undefined };
    case 'finished':
      return {
        ...run,
        state: event.reason === 'stopped' ? 'stopped' : 'finished',
        resumable: event.reason === 'stopped' && run.step < run.recipe.steps,
        finishedBecause: event.reason,
        bestStep: event.bestStep,
        progress: undefined,
      };
  }
}

export function isLive(state: RunSummary['state']): boolean {
  return state === 'starting' || state === 'running' || state === 'paused';
}

export function currentRun(state: RunsState): RunView | undefined {
  return state.runs.find((run) => run.id === state.currentId);
}

export function liveRun(state: RunsState): RunView | undefined {
  const run = currentRun(state);
  return run && isLive(run.state) ? run : undefined;
}

/** Best dev accuracy so far. */
export function bestAccuracy(run: RunSummary): number | undefined {
  return run.evals.length ? Math.max(...run.evals.map((e) => e.accuracy)) : undefined;
}

export function createRuns(engine: Engine, notices: Notices, evaluations: Evaluations) {
  return createStore<RunsState>()((set, get) => {
    const { fail, announce, toast } = notices.getState();
    let planned = 0;
    /** Ids taken off the list whose undo has not passed. */
    const removed = new Set<string>();
    /** The engine also stops a run when model, data or task change; its test rows are others then. */
    let stoppedByHand = false;

    const replace = (id: string, make: (run: RunView) => RunView) =>
      set((s) => ({ runs: s.runs.map((run) => (run.id === id ? make(run) : run)) }));

    const mark = (id: string, marks: Partial<Pick<RunView, 'hidden' | 'pinned'>>) => {
      replace(id, (run) => ({ ...run, ...marks }));
      writeMarks(get().runs);
    };

    const measureTest = async (id: string) => {
      try {
        const { accuracy, low, high, n } = await evaluations
          .getState()
          .evaluate({ kind: 'run', run: id, which: 'best' }, 'test', 'rank');
        replace(id, (run) => ({ ...run, test: { accuracy, low, high, n } }));
      } catch (error) {
        fail(error, { label: 'Try again', run: () => void measureTest(id) });
      }
    };

    const take = (id: string, event: RunEvent) => {
      replace(id, (run) => foldEvent(run, event));
      if (event.type === 'failed') {
        set({ queue: [] });
        fail(event.error);
        void get().load();
      }
      if (event.type === 'eval') evaluations.getState().forgetRun(id);
      if (event.type === 'eval' && event.record.best)
        announce(
          `Step ${event.record.step}: dev accuracy ${(event.record.accuracy * 100).toFixed(1)} percent.`,
        );
      if (event.type === 'finished') {
        evaluations.getState().forgetRun(id);
        announce(`The run ended; its best dev accuracy was at step ${event.bestStep}.`);
        const measured = event.reason !== 'stopped' || stoppedByHand ? measureTest(id) : Promise.resolve();
        if (event.reason === 'stopped') set({ queue: [] });
        else void measured.then(startNext);
      }
    };

    /** Events can come before the summary that names their run: they wait for it. */
    const follow = async (begin: (onEvent: (event: RunEvent) => void) => Promise<RunSummary>) => {
      let id: string | undefined;
      const early: RunEvent[] = [];
      stoppedByHand = false;
      set({ starting: true, startProgress: undefined });
      try {
        const summary = await begin((event) => {
          if (id !== undefined) return take(id, event);
          early.push(event);
          if (event.type === 'progress') set({ startProgress: event.progress });
        });
        id = summary.id;
        const view = viewOf(summary);
        set((s) => ({ runs: [...s.runs.filter((run) => run.id !== view.id), view], currentId: view.id }));
        for (const event of early) take(view.id, event);
      } catch (error) {
        fail(error);
      } finally {
        set({ starting: false, startProgress: undefined });
      }
    };

    const startNext = () => {
      const [next, ...queue] = get().queue;
      if (!next || get().starting || liveRun(get())) return;
      set({ queue });
      void get().start(next);
    };

    const command = async (work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        fail(error);
      }
    };

    return {
      runs: [],
      queue: [],
      starting: false,

      async load() {
        try {
          const summaries = await engine.runs();
          const { pinned, hidden } = readMarks();
          set((s) => {
            const known = new Map(s.runs.map((run) => [run.id, run]));
            const found = new Map(summaries.map((summary) => [summary.id, summary]));
            const kept = s.runs.flatMap((run) => {
              const summary = found.get(run.id);
              if (isLive(run.state)) return [run];
              return summary
                ? [
                    {
                      ...run,
                      ...viewOf(summary),
                      hidden: run.hidden,
                      pinned: run.pinned,
                      notices: run.notices,
                    },
                  ]
                : [];
            });
            // The engine lists the runs of earlier visits newest first.
            const earlier = summaries
              .filter((summary) => !known.has(summary.id) && !removed.has(summary.id))
              .map((summary) => ({
                ...viewOf(summary),
                hidden: hidden.has(summary.id),
                pinned: pinned.has(summary.id),
              }))
              .reverse();
            return { runs: [...earlier, ...kept] };
          });
        } catch (error) {
          fail(error);
        }
      },

      async planFor(recipe) {
        const asked = ++planned;
        try {
          const plan = await engine.planRun(recipe);
          if (asked === planned) set({ plan, planError: undefined });
        } catch (error) {
          if (asked === planned) set({ plan: undefined, planError: asReport(error) });
        }
      },

      start: (recipe, options = { paused: false }) =>
        follow((onEvent) => engine.startRun(recipe, onEvent, options)),
      startSeeds(recipe, count) {
        const recipes = Array.from({ length: count }, (_, i) => ({ ...recipe, seed: recipe.seed + i }));
        set({ queue: recipes.slice(1) });
        return get().start(recipes[0]!);
      },
      resumeStored: (id) => follow((onEvent) => engine.resumeRun(id, onEvent)),
      pause: () => command(() => engine.pause()),
      resume: () => command(() => engine.resume()),
      step: () => command(() => engine.step()),
      stop() {
        stoppedByHand = true;
        return command(() => engine.stop());
      },
      select: (id) => set({ currentId: id }),
      tell: (id, notice) => take(id, { type: 'notice', ...notice }),
      setHidden: (id, hidden) => mark(id, { hidden }),
      setPinned: (id, pinned) => mark(id, { pinned }),

      async rename(id, name) {
        const before = get().runs.find((run) => run.id === id)?.name;
        replace(id, (run) => ({ ...run, name }));
        try {
          await engine.renameRun(id, name);
        } catch (error) {
          replace(id, (run) => ({ ...run, name: before ?? run.name }));
          fail(error);
        }
      },

      remove(id) {
        const { runs, currentId } = get();
        const at = runs.findIndex((run) => run.id === id);
        const run = runs[at];
        if (!run || isLive(run.state)) return;
        removed.add(id);
        set({
          runs: runs.filter((r) => r.id !== id),
          currentId: currentId === id ? undefined : currentId,
        });
        toast(`Deleted ${run.name}.`, {
          undo: () => {
            removed.delete(id);
            set((s) => ({
              runs: [...s.runs.slice(0, at), run, ...s.runs.slice(at)],
              currentId: s.currentId ?? currentId,
            }));
          },
          onGone: () => void command(() => engine.deleteRun(id)),
        });
      },
    };
  });
}

export type Runs = ReturnType<typeof createRuns>;
