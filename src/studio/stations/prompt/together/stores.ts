import { useStore } from 'zustand';
import { perStudio } from '../../../perStudio.ts';
import { createTogether, type TogetherState } from '../../../stores/together.ts';
import { useStudio } from '../../../studio.tsx';

export const togetherOf = perStudio(({ engine, session, notices }) =>
  createTogether(engine, session, notices),
);

export function useTogether<T>(select: (state: TogetherState) => T): T {
  return useStore(togetherOf(useStudio()), select);
}
