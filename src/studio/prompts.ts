/** Prompts to choose among: this browser's runs and kept prompts, the written prompt, no prompt. Shared by Results and Prompt. */
import { useMemo } from 'react';
import { useStore } from 'zustand';
import type { PromptRef, SavedPrompt } from '../worker/protocol.ts';
import type { Choice } from './components/index.ts';
import { formatPercent } from './format.ts';
import { perStudio } from './perStudio.ts';
import { createLibrary, type LibraryState } from './stores/library.ts';
import { createResults, type ResultsState, refKey } from './stores/results.ts';
import { bestAccuracy, isLive, type RunView } from './stores/runs.ts';
import { useRuns, useSession, useStudio } from './studio.tsx';

export const libraryOf = perStudio(({ engine, session, notices }) => {
  const library = createLibrary(engine, session, notices);
  void library.getState().load();
  return library;
});
export const resultsOf = perStudio(({ evaluations, notices }) => createResults(evaluations, notices));

export function useLibrary<T>(select: (state: LibraryState) => T): T {
  return useStore(libraryOf(useStudio()), select);
}
export function useResults<T>(select: (state: ResultsState) => T): T {
  return useStore(resultsOf(useStudio()), select);
}

export interface PromptChoice {
  prompt: PromptRef;
  name: string;
  note: string;
}

/** Runs that have something to measure on the model that is loaded, newest first. */
function runChoices(
  runs: readonly RunView[],
  modelId: string | undefined,
  dataName: string | undefined,
): PromptChoice[] {
  return runs
    .filter((run) => run.evals.length > 0 && run.modelId === modelId)
    .map((run) => ({
      prompt: { kind: 'run', run: run.id, which: 'best' } as const,
      name: run.name,
      note: [
        `run, seed ${run.recipe.seed}, dev ${formatPercent(bestAccuracy(run) ?? Number.NaN)}`,
        run.dataName !== dataName && `learned on ${run.dataName}`,
        isLive(run.state) && `still going, step ${run.step}`,
      ]
        .filter(Boolean)
        .join(', '),
    }))
    .reverse();
}

function savedChoices(prompts: readonly SavedPrompt[]): PromptChoice[] {
  return prompts
    .filter((prompt) => prompt.fits)
    .map((prompt) => ({
      prompt: { kind: 'saved', id: prompt.id } as const,
      name: prompt.name,
      note: `kept prompt, ${prompt.length} virtual tokens`,
    }));
}

/** Soft prompts that can be used now: runs first, then kept ones. */
export function useSoftChoices(): PromptChoice[] {
  const runs = useRuns((s) => s.runs);
  const modelId = useSession((s) => s.model?.id);
  const dataName = useSession((s) => s.data?.name);
  const saved = useLibrary((s) => s.prompts);
  return useMemo(
    () => [...runChoices(runs, modelId, dataName), ...savedChoices(saved ?? [])],
    [runs, modelId, dataName, saved],
  );
}

/** What can be compared with: no prompt, and the written one where the task has one. */
export function useBaselineChoices(): PromptChoice[] {
  const written = useSession((s) => s.task?.settings.writtenPrompt.trim());
  return useMemo(
    () => [
      { prompt: { kind: 'none' }, name: 'no prompt', note: 'the untuned model' },
      ...(written
        ? [{ prompt: { kind: 'written' } as const, name: 'written prompt', note: `“${written}”` }]
        : []),
    ],
    [written],
  );
}

/** As the choices of a select; an id finds its prompt again by `choiceOf`. */
export function asOptions(choices: readonly PromptChoice[]): Choice<string>[] {
  return choices.map(({ prompt, name, note }) => ({ id: refKey(prompt), label: name, note }));
}

export function choiceOf(
  choices: readonly PromptChoice[],
  key: string | undefined,
): PromptChoice | undefined {
  return choices.find(({ prompt }) => refKey(prompt) === key);
}
