/**
 * The hub that models come from: the Hugging Face Hub, or a mirror of it, as a class has on one computer of its own. What a person
 * sets stays in this browser; what a link sets (`?hub=http://teacher.local:8080`) lasts as long as the page, and is said.
 */
import { createStore } from 'zustand/vanilla';

export interface MirrorState {
  /** Empty: the Hugging Face Hub. */
  address: string;
  fromLink: boolean;
  set(address: string): void;
}

const KEY = 'prelude.hub';

interface Surroundings {
  read(key: string): string | null;
  write(key: string, value: string): void;
}

/** Storage may be forbidden, or absent as in tests in Node: the choice then lasts as long as the page. */
const surroundings: Surroundings = {
  read: (key) => {
    try {
      return globalThis.localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  write: (key, value) => {
    try {
      globalThis.localStorage.setItem(key, value);
    } catch {
      // See above.
    }
  },
};

/** @param asked by the link that was opened */
export function createMirror(asked?: string, around: Surroundings = surroundings) {
  return createStore<MirrorState>()((set) => ({
    address: asked ?? around.read(KEY) ?? '',
    fromLink: asked !== undefined,
    set(address) {
      around.write(KEY, address.trim());
      set({ address, fromLink: false });
    },
  }));
}

export type Mirror = ReturnType<typeof createMirror>;
