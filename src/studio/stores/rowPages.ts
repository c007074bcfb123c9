/** Rows of the table in pages, asked for as they come into view. */
import { createStore } from 'zustand/vanilla';
import type { Engine, RowPage, RowQuery } from '../../worker/protocol.ts';
import type { Notices } from './notices.ts';

export type RowFilter = Pick<RowQuery, 'search' | 'label' | 'part'>;
export type DataRow = RowPage['rows'][number];

export interface RowPagesState {
  filter: RowFilter;
  /** Rows that match; undefined until the first answer. */
  total?: number;
  pages: ReadonlyMap<number, DataRow[]>;
  /** Counts filters and tasks: rows of different generations are different rows. */
  generation: number;
  setFilter(filter: RowFilter): void;
  /** The task changed: everything is asked again. */
  refresh(): void;
  /** Another table: nothing is there, and nothing asked for, until the next `refresh`. */
  clear(): void;
  /** Rows `start` to `end` (exclusive) are in view. */
  need(start: number, end: number): void;
  rowAt(index: number): DataRow | undefined;
}

export const PAGE_ROWS = 100;
/** Pages kept; the rest is asked again when it is scrolled to. */
const KEEP_PAGES = 60;

export function createRowPages(engine: Engine, notices: Notices) {
  return createStore<RowPagesState>()((set, get) => {
    const asked = new Set<number>();
    let wanted: number[] = [];
    let working = false;

    const fetchPage = async (page: number) => {
      const { filter, generation } = get();
      asked.add(page);
      try {
        const answer = await engine.rows({ ...filter, start: page * PAGE_ROWS, count: PAGE_ROWS });
        if (get().generation !== generation) return;
        const pages = new Map(get().pages);
        pages.set(page, answer.rows);
        for (const old of pages.keys()) {
          if (pages.size <= KEEP_PAGES) break;
          pages.delete(old);
          asked.delete(old);
        }
        set({ pages, total: answer.total });
      } catch (error) {
        if (get().generation !== generation) return;
        asked.delete(page);
        wanted = [];
        notices.getState().fail(error);
      }
    };

    /** One question at a time; pages that were scrolled past meanwhile are not asked for. */
    const work = async () => {
      if (working) return;
      working = true;
      for (let page = wanted.shift(); page !== undefined; page = wanted.shift())
        if (!asked.has(page)) await fetchPage(page);
      working = false;
    };

    const restart = (filter: RowFilter) => {
      asked.clear();
      wanted = [0];
      set((s) => ({ filter, pages: new Map(), generation: s.generation + 1 }));
      void work();
    };

    return {
      filter: {},
      pages: new Map(),
      generation: 0,
      clear() {
        asked.clear();
        wanted = [];
        set((s) => ({ filter: {}, total: undefined, pages: new Map(), generation: s.generation + 1 }));
      },
      setFilter: restart,
      refresh: () => restart(get().filter),
      need(start, end) {
        const first = Math.floor(start / PAGE_ROWS);
        const last = Math.floor(Math.max(start, end - 1) / PAGE_ROWS);
        wanted = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
          (page) => !asked.has(page),
        );
        if (wanted.length) void work();
      },
      rowAt: (index) => get().pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS],
    };
  });
}

export type RowPages = ReturnType<typeof createRowPages>;
