import { useSyncExternalStore } from 'react';
import { useHashValue } from '../shell/location.ts';
import { stopNumber } from './stops.ts';

/** The tour's stop in the address (`#/tune?tour=3`), from 1. */
export function useTourStop(): number | undefined {
  return stopNumber(useHashValue('tour'));
}

const KEY = 'prelude.tour';
const listeners = new Set<() => void>();

/** Whether the tour is still to be offered: once, to who has neither taken nor refused it in this browser. */
export function useTourOffer(): { offered: boolean; settle: () => void } {
  const offered = useSyncExternalStore(subscribe, isOffered);
  return { offered, settle };
}

function subscribe(onChange: () => void): () => void {
  listeners.add(onChange);
  return () => listeners.delete(onChange);
}

function isOffered(): boolean {
  try {
    return window.localStorage.getItem(KEY) === null;
  } catch {
    // Without storage it would be offered again and again.
    return false;
  }
}

function settle(): void {
  try {
    window.localStorage.setItem(KEY, 'settled');
  } catch {
    // See above.
  }
  for (const tell of listeners) tell();
}
