import * as Comlink from 'comlink';
import type { Engine } from '../worker/protocol.ts';

/**
 * Starts the engine's worker and speaks with it. Callbacks among the arguments cross as Comlink proxies; errors reject as
 * plain `ErrorReport`s.
 */
export function startEngine(): Engine {
  // The worker's own address says nothing about the page's: models and samples lie relative to the page.
  const base = new URL('.', document.baseURI).href;
  const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module', name: base });
  const remote = Comlink.wrap<Engine>(worker) as unknown as Record<string, (...args: unknown[]) => unknown>;
  return new Proxy({} as Engine, {
    get: (_, name) => {
      // A proxy that has a `then` would be taken for a promise.
      if (typeof name !== 'string' || name === 'then') return undefined;
      return (...args: unknown[]) =>
        remote[name]!(...args.map((arg) => (typeof arg === 'function' ? Comlink.proxy(arg) : arg)));
    },
  });
}
