import type { RunStore } from '../prompts/index.ts';
import { addSnapshot, type PromptSnapshot } from '../tuning/index.ts';

/** What a run's prompt was at some of its steps, in memory and in this browser. */
export interface RunHistory {
  /** In the order of the steps. */
  of(run: string): Promise<readonly PromptSnapshot[]>;
  /** Keeps one more; of a run of another day `of` must have been awaited before. */
  add(run: string, snapshot: PromptSnapshot, limit: number): void;
  /** Of this visit; what the browser keeps goes with the run. */
  forget(run: string): void;
}

type Store = Pick<RunStore<unknown>, 'putSnapshot' | 'dropSnapshots' | 'snapshots'>;

/** `openStore` resolves to undefined in a browser that keeps nothing: a history then lives as long as the page. */
export function createRunHistory(openStore: () => Promise<Store | undefined>): RunHistory {
  const known = new Map<string, PromptSnapshot[]>();
  return {
    async of(run) {
      const here = known.get(run);
      if (here) return here;
      const stored = (await (await openStore())?.snapshots(run).catch(() => [])) ?? [];
      // A run that began meanwhile knows better.
      if (!known.has(run)) known.set(run, stored);
      return known.get(run)!;
    },
    add(run, snapshot, limit) {
      const { history, dropped } = addSnapshot(known.get(run) ?? [], snapshot, limit);
      known.set(run, history);
      void openStore()
        .then(async (store) => {
          await store?.putSnapshot(run, snapshot.step, snapshot.values);
          const steps = dropped.map(({ step }) => step).filter((step) => step !== snapshot.step);
          if (steps.length > 0) await store?.dropSnapshots(run, steps);
          // A full disk takes nothing from this visit.
        })
        .catch(() => {});
    },
    forget: (run) => void known.delete(run),
  };
}
