/** The store that only the Model station needs. */
import { useStore } from 'zustand';
import { perStudio } from '../../perStudio.ts';
import { createHub, type HubState } from '../../stores/hub.ts';
import type { MirrorState } from '../../stores/mirror.ts';
import { useStudio } from '../../studio.tsx';

export const hubOf = perStudio((studio) => {
  const hub = createHub(studio);
  void hub.getState().refresh();
  return hub;
});

export function useHub<T>(select: (state: HubState) => T): T {
  return useStore(hubOf(useStudio()), select);
}
export function useMirror<T>(select: (state: MirrorState) => T): T {
  return useStore(useStudio().mirror, select);
}
