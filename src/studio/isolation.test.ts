import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isolatePage, type Surroundings } from './isolation.ts';

beforeEach(() => {
  vi.stubGlobal('document', { baseURI: 'https://host.example/prelude/' });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A page on a plain host; `change` says what is otherwise. */
function page(change: Partial<Surroundings> = {}) {
  const log: string[] = [];
  let tried = false;
  const around: Surroundings = {
    isolated: false,
    secure: true,
    services: {
      controller: null,
      register: async (url) => {
        log.push(`register ${url}`);
        return {} as ServiceWorkerRegistration;
      },
      addEventListener: (_: string, taken: unknown) => void setTimeout(taken as () => void),
    },
    touched: () => false,
    tried: () => tried,
    setTried() {
      tried = true;
      return true;
    },
    reload: () => void log.push('reload'),
    ...change,
  };
  return { around, log };
}
const registered = 'register https://host.example/prelude/isolation-worker.js';

describe('isolation on a plain host', () => {
  test('registers beside the page and reloads once, never twice', async () => {
    const { around, log } = page();
    await isolatePage(around);
    await isolatePage(around);
    expect(log).toEqual([registered, 'reload']);
  });

  test.each([
    ['isolated by its host', { isolated: true }],
    ['not secure', { secure: false }],
    ['without service workers', { services: undefined }],
  ])('a page that is %s is left alone', async (_, change) => {
    const { around, log } = page(change);
    await isolatePage(around);
    expect(log).toEqual([]);
  });

  test('what has begun is not broken off; nor does a page reload that could not know it did', async () => {
    for (const change of [{ touched: () => true }, { setTried: () => false }]) {
      const { around, log } = page(change);
      await isolatePage(around);
      expect(log).toEqual([registered]);
    }
  });

  test('a browser that forbids the worker goes on with one thread', async () => {
    const { around, log } = page();
    around.services!.register = async () => {
      throw new Error('forbidden');
    };
    await isolatePage(around);
    expect(log).toEqual([]);
  });
});
