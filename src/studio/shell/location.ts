/** Where one is in the studio: the path in the hash (`#/tune`), and what follows it (`?tour=3`). */
import { useSyncExternalStore } from 'react';

function subscribe(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange);
  return () => window.removeEventListener('hashchange', onChange);
}

function hashParts(): [path: string, query: string] {
  const [path = '', query = ''] = window.location.hash.replace(/^#?\/?/, '').split('?');
  return [`/${path}`, query];
}

/** Goes to `/tune` or `/tune?tour=3`; the address before the hash stays, and with it what a link has set. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const before = window.location.href;
  window.history[replace ? 'replaceState' : 'pushState'](null, '', `#${to}`);
  window.dispatchEvent(new HashChangeEvent('hashchange', { oldURL: before, newURL: window.location.href }));
}

/** wouter's location over the hash, without what follows the path. */
export function useHashPath(): [string, typeof go] {
  return [useSyncExternalStore(subscribe, () => hashParts()[0]), go];
}
useHashPath.hrefs = (href: string) => `#${href}`;

/** One value after the path, for example the tour's stop. */
export function useHashValue(name: string): string | null {
  return useSyncExternalStore(subscribe, () => new URLSearchParams(hashParts()[1]).get(name));
}
