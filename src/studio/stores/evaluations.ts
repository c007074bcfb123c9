/** Evaluations that were asked for, kept by prompt, part and decoding, so that no station asks the engine twice. */
import { createStore } from 'zustand/vanilla';
import type { Engine, Evaluation, OnProgress, PromptRef } from '../../worker/protocol.ts';

export interface EvaluationsState {
  kept: Record<string, Evaluation>;
  /** Evaluates, or answers from what is kept. Rejects with an `ErrorReport`. */
  evaluate(
    prompt: PromptRef,
    part: 'dev' | 'test',
    decoding: 'rank' | 'greedy',
    onProgress?: OnProgress,
  ): Promise<Evaluation>;
  /** Ends what was asked of this prompt and part; who waits for it is told `cancelled`. */
  stop(prompt: PromptRef, part: 'dev' | 'test'): Promise<void>;
  /** Task or model changed: nothing that is kept holds any more. */
  forget(): void;
  /** A prompt's evaluations are stale (a run went on). */
  forgetRun(run: string): void;
}

export function evaluationKey(prompt: PromptRef, part: 'dev' | 'test', decoding: 'rank' | 'greedy'): string {
  return `${promptKey(prompt)}|${part}|${decoding}`;
}

function promptKey(prompt: PromptRef): string {
  switch (prompt.kind) {
    case 'none':
      return 'none';
    case 'written':
      return `written:${prompt.template ?? ''}`;
    case 'run':
      return `run:${prompt.run}:${prompt.which}`;
    case 'saved':
      return `saved:${prompt.id}`;
  }
}

export function createEvaluations(engine: Engine) {
  const pending = new Map<string, Promise<Evaluation>>();
  let generation = 0;
  return createStore<EvaluationsState>()((set, get) => ({
    kept: {},
    evaluate(prompt, part, decoding, onProgress = () => {}) {
      const key = evaluationKey(prompt, part, decoding);
      const kept = get().kept[key];
      if (kept) return Promise.resolve(kept);
      const waiting = pending.get(key);
      if (waiting) return waiting;
      const asked = generation;
      const work = engine
        .evaluate(prompt, part, { decoding }, onProgress)
        .then((evaluation) => {
          if (asked === generation) set((s) => ({ kept: { ...s.kept, [key]: evaluation } }));
          return evaluation;
        })
        .finally(() => {
          if (pending.get(key) === work) pending.delete(key);
        });
      pending.set(key, work);
      return work;
    },
    stop: (prompt, part) => engine.stopEvaluation(prompt, part),
    forget() {
      generation++;
      pending.clear();
      set({ kept: {} });
    },
    forgetRun(run) {
      set((s) => ({
        kept: Object.fromEntries(Object.entries(s.kept).filter(([key]) => !key.startsWith(`run:${run}:`))),
      }));
    },
  }));
}

export type Evaluations = ReturnType<typeof createEvaluations>;
