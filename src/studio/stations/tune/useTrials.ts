import { useStore } from 'zustand';
import type { ProbeReport } from '../../../worker/protocol.ts';
import { perStudio } from '../../perStudio.ts';
import { createTrials, type TrialsState } from '../../stores/trials.ts';
import { useRecipe, useStudio } from '../../studio.tsx';

const trials = perStudio(({ engine, session, notices }) => createTrials(engine, session, notices));

export const useTrialsStore = () => trials(useStudio());

export function useTrials<T>(select: (state: TrialsState) => T): T {
  return useStore(useTrialsStore(), select);
}

/** The probe that says something about the recipe as it stands. */
export function useProbe(): ProbeReport | undefined {
  const store = useTrialsStore();
  const recipe = useRecipe((s) => s.recipe);
  return useTrials(() => store.probeFor(recipe));
}
