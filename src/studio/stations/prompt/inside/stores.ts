import { useStore } from 'zustand';
import { perStudio } from '../../../perStudio.ts';
import { createInside, type InsideState } from '../../../stores/inside.ts';
import { useStudio } from '../../../studio.tsx';

export const insideOf = perStudio(({ engine, session, notices }) => createInside(engine, session, notices));

export function useInside<T>(select: (state: InsideState) => T): T {
  return useStore(insideOf(useStudio()), select);
}
