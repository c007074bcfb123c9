import { useMemo } from 'react';
import { useSession } from '../../studio.tsx';
import type { Flat } from './chartData.ts';

/** The session's baselines as dashed lines. */
export function useFlats(): readonly Flat[] {
  const majority = useSession((s) => s.task?.majority);
  const { untuned, written } = useSession((s) => s.baselines);
  return useMemo(() => {
    const flats: Flat[] = [];
    if (majority) flats.push({ name: `always “${majority.label}”`, value: majority.dev });
    if (untuned !== undefined) flats.push({ name: 'untuned', value: untuned });
    if (written !== undefined) flats.push({ name: 'written prompt', value: written });
    return flats;
  }, [majority, untuned, written]);
}
