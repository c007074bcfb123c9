/** What the Results station looks at: whose answers, on which part, given how, and beside whose. */
import { createStore } from 'zustand/vanilla';
import type { Evaluation, Progress, PromptRef } from '../../worker/protocol.ts';
import { type Evaluations, evaluationKey } from './evaluations.ts';
import type { Notices } from './notices.ts';

export type Part = 'dev' | 'test';
export type Decoding = 'rank' | 'greedy';

export interface ResultsState {
  /** Undefined: the run that was looked at last. */
  chosen?: PromptRef;
  /** Beside whose answers; undefined: nobody's. */
  other?: PromptRef;
  part: Part;
  decoding: Decoding;
  /** What is being measured now. */
  measuring?: PromptRef;
  progress?: Progress;
  /** A person said that nothing more is to be measured; until they ask again. */
  stopped: boolean;

  choose(prompt: PromptRef): void;
  compareWith(prompt: PromptRef | undefined): void;
  setPart(part: Part): void;
  setDecoding(decoding: Decoding): void;
  /** Measures these, one after the other, on the chosen part; those that are measured already cost nothing. */
  measure(prompts: readonly PromptRef[]): Promise<void>;
  /** Ends the one in work and asks for no more. What is measured already stays. */
  stop(): void;
}

export function createResults(evaluations: Evaluations, notices: Notices) {
  return createStore<ResultsState>()((set, get) => {
    /** Counts measurements: an older one that comes late changes nothing that is shown. */
    let generation = 0;
    return {
      part: 'test',
      decoding: 'rank',
      stopped: false,
      choose: (chosen) => set({ chosen, stopped: false }),
      compareWith: (other) => set({ other }),
      setPart: (part) => set({ part, stopped: false }),
      setDecoding: (decoding) => set({ decoding, stopped: false }),
      async measure(prompts) {
        const mine = ++generation;
        const { part, decoding } = get();
        set({ stopped: false });
        try {
          for (const prompt of prompts) {
            if (mine !== generation) return;
            set({ measuring: prompt, progress: undefined });
            await evaluations
              .getState()
              .evaluate(prompt, part, decoding, (progress) => mine === generation && set({ progress }));
          }
        } catch (error) {
          if (mine === generation)
            notices.getState().fail(error, { label: 'Try again', run: () => void get().measure(prompts) });
        } finally {
          if (mine === generation) set({ measuring: undefined, progress: undefined });
        }
      },
      stop() {
        const { measuring, part } = get();
        if (measuring) evaluations.getState().stop(measuring, part).catch(notices.getState().fail);
        generation++;
        set({ measuring: undefined, progress: undefined, stopped: true });
      },
    };
  });
}

export type Results = ReturnType<typeof createResults>;

/** An evaluation that is kept, if it is. */
export function keptEvaluation(
  kept: Record<string, Evaluation>,
  prompt: PromptRef | undefined,
  part: Part,
  decoding: Decoding,
): Evaluation | undefined {
  return prompt && kept[evaluationKey(prompt, part, decoding)];
}

/** A name for a prompt by which a list can find it again. */
export function refKey(prompt: PromptRef): string {
  switch (prompt.kind) {
    case 'none':
      return 'none';
    case 'written':
      return 'written';
    case 'run':
      return `run:${prompt.run}:${prompt.which}`;
    case 'saved':
      return `saved:${prompt.id}`;
  }
}
