/** The class board: cards that were pasted, kept in this browser. */
import { createStore } from 'zustand/vanilla';
import type { Notices } from '../stores/notices.ts';
import { type RunCard, readCards } from './card.ts';

export interface BoardState {
  cards: RunCard[];
  /** Adds pasted cards; the same card twice counts once. Returns whether the text could be read. */
  paste(text: string): boolean;
  add(cards: readonly RunCard[]): void;
  remove(card: RunCard): void;
}

interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}
const KEY = 'prelude.board';

export function createBoard(notices: Notices, storage: Storage | undefined) {
  return createStore<BoardState>()((set, get) => {
    const keep = (cards: RunCard[]) => {
      set({ cards });
      try {
        storage?.setItem(KEY, JSON.stringify(cards));
      } catch {
        // A full or forbidden storage: the board then lasts as long as the page.
      }
    };
    return {
      cards: stored(storage),
      paste(text) {
        try {
          get().add(readCards(text));
          return true;
        } catch (error) {
          notices.getState().fail(error);
          return false;
        }
      },
      add(cards) {
        const known = new Set(get().cards.map((card) => JSON.stringify(card)));
        const fresh = cards.filter((card) => !known.has(JSON.stringify(card)));
        keep([...get().cards, ...fresh]);
        notices.getState().announce(`${fresh.length} new on the board.`);
      },
      remove(card) {
        const before = get().cards;
        keep(before.filter((one) => one !== card));
        notices.getState().toast(`Took ${card.name} off the board.`, { undo: () => keep(before) });
      },
    };
  });
}

function stored(storage: Storage | undefined): RunCard[] {
  try {
    return readCards(storage?.getItem(KEY) ?? '');
  } catch {
    return [];
  }
}
