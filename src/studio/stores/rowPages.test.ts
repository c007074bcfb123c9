import { describe, expect, it, vi } from 'vitest';
import type { Engine, RowQuery } from '../../worker/protocol.ts';
import { createNotices } from './notices.ts';
import { createRowPages, PAGE_ROWS } from './rowPages.ts';

const TOTAL = 100_000;

function setup() {
  const asked: RowQuery[] = [];
  const engine = {
    rows: vi.fn(async (query: RowQuery) => {
      asked.push(query);
      const { start, count } = query;
      return {
        total: TOTAL,
        rows: Array.from({ length: count }, (_, i) => ({
          row: start + i,
          text: `${query.search ?? 'row'} ${start + i}`,
          label: 'a',
          part: 'train' as const,
        })),
      };
    }),
  } as unknown as Engine;
  const notices = createNotices();
  return { asked, engine, notices, pages: createRowPages(engine, notices) };
}
const settle = () => new Promise((done) => setTimeout(done, 5));

describe('rowPages', () => {
  it('asks for the pages in view, each once', async () => {
    const { asked, pages } = setup();
    pages.getState().refresh();
    await settle();
    expect(pages.getState().total).toBe(TOTAL);
    pages.getState().need(150, 250);
    await settle();
    pages.getState().need(150, 260);
    await settle();
    expect(asked.map((q) => q.start)).toEqual([0, 100, 200]);
    expect(pages.getState().rowAt(249)?.row).toBe(249);
    expect(pages.getState().rowAt(350)).toBeUndefined();
  });

  it('does not ask for pages that were scrolled past', async () => {
    const { asked, pages } = setup();
    pages.getState().refresh();
    await settle();
    for (let start = 1000; start <= 90_000; start += 1000) pages.getState().need(start, start + 10);
    await settle();
    expect(asked.map((q) => q.start)).toEqual([0, 1000, 90_000]);
  });

  it('drops answers to an older question', async () => {
    const { pages } = setup();
    pages.getState().refresh();
    pages.getState().setFilter({ search: 'new' });
    await settle();
    expect(pages.getState().rowAt(3)?.text).toBe('new 3');
  });

  it('keeps only so many pages, and asks again for those it dropped', async () => {
    const { asked, pages } = setup();
    pages.getState().refresh();
    for (let page = 0; page < 70; page++) {
      pages.getState().need(page * PAGE_ROWS, page * PAGE_ROWS + 1);
      await settle();
    }
    expect(pages.getState().pages.size).toBe(60);
    expect(pages.getState().rowAt(0)).toBeUndefined();
    const before = asked.length;
    pages.getState().need(0, 1);
    await settle();
    expect(asked.length).toBe(before + 1);
    expect(pages.getState().rowAt(0)?.row).toBe(0);
  });

  it('asks nothing between two tables', async () => {
    const { asked, pages } = setup();
    pages.getState().setFilter({ label: 'a' });
    pages.getState().clear();
    await settle();
    expect(pages.getState()).toMatchObject({ filter: {}, total: undefined });
    expect(asked).toHaveLength(1);
    pages.getState().refresh();
    await settle();
    expect(asked.at(-1)).toEqual({ start: 0, count: PAGE_ROWS });
  });

  it('tells of a failure and can be asked again', async () => {
    const { engine, notices, pages } = setup();
    vi.mocked(engine.rows).mockRejectedValueOnce({ code: 'bad-table', message: 'no', remedy: 'again' });
    pages.getState().refresh();
    await settle();
    expect(notices.getState().errors).toHaveLength(1);
    pages.getState().need(0, 10);
    await settle();
    expect(pages.getState().rowAt(0)?.row).toBe(0);
  });
});
