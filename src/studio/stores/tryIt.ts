/**
 * Try it: a text's label probabilities with no prompt, with the written and with the soft prompt; pinned rows to watch;
 * the words nearest to the virtual token that was touched. All of it follows the run, but asks the engine one question at a
 * time and, while a run goes, at most once a second: training comes first.
 */
import { createStore } from 'zustand/vanilla';
import type {
  Engine,
  LabelScore,
  Prediction,
  PromptRef,
  TokenNeighbours,
  TokenView,
} from '../../worker/protocol.ts';
import type { Notices } from './notices.ts';

export interface Pin {
  id: string;
  text: string;
  text2?: string;
  /** The right answer; unknown for own text. */
  label?: string;
  prediction?: Prediction;
}

export interface TryItState {
  text: string;
  text2?: string;
  /** The soft prompt in use: of the current run, or a saved one. */
  soft?: PromptRef;
  /** The text as the model reads it. */
  reading?: TokenView;
  none?: LabelScore[];
  written?: LabelScore[];
  softScores?: LabelScore[];
  pins: Pin[];
  /** The virtual token that was touched, from 0. */
  tile?: number;
  neighbours?: TokenNeighbours;

  setText(text: string, text2?: string): void;
  setSoft(soft: PromptRef | undefined): void;
  setTile(tile: number | undefined): void;
  pin(pin: Omit<Pin, 'id' | 'prediction'>): void;
  unpin(id: string): void;
  /** Another task or model: starts again with these texts. */
  reset(text: string, text2: string | undefined, pins: Omit<Pin, 'id' | 'prediction'>[]): void;
  /** The soft prompt has changed (the run went on): what is shown is asked again when its turn comes. */
  touch(): void;
}

/** Least milliseconds between two refreshes that nobody but the run asked for. */
export const REFRESH_MS = 1000;
/** A refresh is followed by a rest this many times as long: on a slow device watching must not eat the training. */
const REST = 5;
/** Wait after a key press before a text is asked. */
const TYPING_MS = 250;

export function createTryIt(engine: Engine, notices: Notices) {
  return createStore<TryItState>()((set, get) => {
    let busy = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let dueAt = Infinity;
    let lastEnd = -Infinity;
    let rest = REFRESH_MS;
    let nextPin = 1;
    /** What is stale. `base`: reading, no prompt, written prompt; they change only with the text. */
    const stale = { base: false, soft: false, tile: false };

    const later = (wait: number) => {
      const due = performance.now() + wait;
      if (busy || due >= dueAt) return;
      clearTimeout(timer);
      dueAt = due;
      timer = setTimeout(run, wait);
    };
    const soon = (wait = 0) => later(wait);

    const run = async () => {
      dueAt = Infinity;
      if (busy) return;
      busy = true;
      const begin = performance.now();
      try {
        if (stale.base) await refreshBase();
        if (stale.soft) await refreshSoft();
        if (stale.tile) await refreshTile();
      } catch (error) {
        stale.base = stale.soft = stale.tile = false;
        notices.getState().fail(error);
      } finally {
        busy = false;
        lastEnd = performance.now();
        rest = Math.max(REFRESH_MS, REST * (lastEnd - begin));
        if (stale.base) soon();
        else if (stale.soft || stale.tile) soon(rest);
      }
    };

    const refreshBase = async () => {
      stale.base = false;
      const { text, text2 } = get();
      if (!text.trim()) {
        set({ reading: undefined, none: undefined, written: undefined, softScores: undefined });
        return;
      }
      const reading = await engine.readText(text, text2);
      const [none, written] = await engine.predict(text, text2, [{ kind: 'none' }, { kind: 'written' }], {
        generate: false,
      });
      if (get().text === text && get().text2 === text2)
        set({ reading, none: none?.scores, written: written?.scores });
    };

    const refreshSoft = async () => {
      stale.soft = false;
      const { soft, text, text2, pins } = get();
      if (!soft) {
        set((s) => ({
          softScores: undefined,
          pins: s.pins.map((pin) => ({ ...pin, prediction: undefined })),
        }));
        return;
      }
      if (text.trim()) {
        const [prediction] = await engine.predict(text, text2, [soft], { generate: false });
        if (get().text === text && get().text2 === text2) set({ softScores: prediction?.scores });
      }
      for (const pin of pins) {
        const [prediction] = await engine.predict(pin.text, pin.text2, [soft], { generate: false });
        set((s) => ({ pins: s.pins.map((p) => (p.id === pin.id ? { ...p, prediction } : p)) }));
      }
    };

    const refreshTile = async () => {
      stale.tile = false;
      const { soft, tile } = get();
      if (!soft || tile === undefined) {
        set({ neighbours: undefined });
        return;
      }
      set({ neighbours: await engine.neighbours(soft, 3) });
    };

    return {
      text: '',
      pins: [],

      setText(text, text2) {
        set({ text, text2 });
        stale.base = stale.soft = true;
        soon(TYPING_MS);
      },
      setSoft(soft) {
        if (JSON.stringify(soft) === JSON.stringify(get().soft)) return;
        set({ soft, neighbours: undefined });
        stale.soft = true;
        stale.tile = get().tile !== undefined;
        soon();
      },
      setTile(tile) {
        set({ tile });
        if (tile !== undefined) {
          stale.tile = true;
          soon();
        }
      },
      pin(pin) {
        if (get().pins.some((p) => p.text === pin.text && p.text2 === pin.text2)) return;
        set((s) => ({ pins: [...s.pins, { ...pin, id: String(nextPin++) }] }));
        stale.soft = true;
        soon();
      },
      unpin: (id) => set((s) => ({ pins: s.pins.filter((pin) => pin.id !== id) })),
      reset(text, text2, pins) {
        set({
          text,
          text2,
          pins: pins.map((pin) => ({ ...pin, id: String(nextPin++) })),
          reading: undefined,
          none: undefined,
          written: undefined,
          softScores: undefined,
          neighbours: undefined,
        });
        stale.base = stale.soft = true;
        soon();
      },
      touch() {
        stale.soft = get().soft !== undefined;
        stale.tile = get().soft !== undefined && get().tile !== undefined;
        if (stale.soft) soon(Math.max(0, lastEnd + rest - performance.now()));
      },
    };
  });
}

export type TryIt = ReturnType<typeof createTryIt>;
