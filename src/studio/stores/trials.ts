/** Trials before a run: what a few steps took, and which learning rate suits. */
import { createStore } from 'zustand/vanilla';
import type { Recipe } from '../../tuning/recipe.ts';
import type { Engine, ProbeReport, Progress, RatePoint, RateSweep } from '../../worker/protocol.ts';
import type { Notices } from './notices.ts';
import type { Session } from './session.ts';

export interface TrialsState {
  /** The last probe, and what it was measured on; see `probeFor`. */
  probe?: { report: ProbeReport; of: string };
  probing: boolean;
  progress?: Progress;

  /** Points of the sweep that goes on, or of the last one. */
  points: RatePoint[];
  sweep?: RateSweep;
  sweeping: boolean;

  measure(recipe: Recipe): Promise<void>;
  findRate(recipe: Recipe): Promise<void>;
  stop(): Promise<void>;
  /** The sweep was of something else than what stands there now. */
  clearSweep(): void;
}

/** Rates that a sweep goes through: wide enough that the loss neither moves at the first nor survives the last. */
export const SWEEP: Record<Recipe['optimizer']['kind'], { from: number; to: number; steps: number }> = {
  adafactor: { from: 1e-3, to: 30, steps: 50 },
  adamw: { from: 1e-4, to: 10, steps: 50 },
  sgd: { from: 1e-2, to: 1000, steps: 50 },
};

/** What the time of a step hangs on: another number of steps, or another seed, asks for no new probe. */
function probeKey(recipe: Recipe, generation: number): string {
  const { promptLength, batchSize, microBatch, loss, optimizer } = recipe;
  return JSON.stringify([generation, promptLength, batchSize, microBatch, loss, optimizer.kind]);
}

/** Seconds of a whole run: its steps, and dev after every `evalEvery` and at the end. */
export function runSeconds({ seconds }: ProbeReport, { steps, evalEvery }: Recipe): number {
  return steps * seconds.step + Math.ceil(steps / evalEvery) * seconds.dev;
}

export function createTrials(engine: Engine, session: Session, notices: Notices) {
  const store = createStore<TrialsState>()((set, get) => {
    const { fail } = notices.getState();
    return {
      probing: false,
      points: [],
      sweeping: false,
      async measure(recipe) {
        if (get().probing) return;
        const of = probeKey(recipe, generation);
        set({ probing: true, progress: undefined });
        try {
          const report = await engine.probeRun(recipe, (progress) => get().probing && set({ progress }));
          set({ probe: { report, of } });
        } catch (error) {
          fail(error);
        } finally {
          set({ probing: false, progress: undefined });
        }
      },
      async findRate(recipe) {
        if (get().sweeping) return;
        set({ sweeping: true, sweep: undefined, points: [] });
        try {
          const sweep = await engine.sweepRates(recipe, SWEEP[recipe.optimizer.kind], (point) =>
            set((s) => (s.sweeping ? { points: [...s.points, point] } : {})),
          );
          set({ sweep, points: sweep.points });
        } catch (error) {
          fail(error);
        } finally {
          set({ sweeping: false });
        }
      },
      stop: () => engine.stopTrial().catch(fail),
      clearSweep: () => set({ sweep: undefined, points: [] }),
    };
  });
  /** Counts models, tasks and devices: what was measured before says nothing of the next. */
  let generation = 0;
  session.subscribe((now, before) => {
    if (now.task === before.task && now.model === before.model && now.device === before.device) return;
    generation++;
    store.setState({ probe: undefined, sweep: undefined, points: [] });
  });
  return Object.assign(store, {
    /** The probe that still says something about this recipe. */
    probeFor: (recipe: Recipe): ProbeReport | undefined => {
      const { probe } = store.getState();
      return probe?.of === probeKey(recipe, generation) ? probe.report : undefined;
    },
  });
}

export type TrialsStore = ReturnType<typeof createTrials>;
