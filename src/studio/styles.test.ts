import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const STATIONS = fileURLToPath(new URL('./stations/', import.meta.url));

test('a class is styled by one station only: styles arrive with a station and stay when another is shown', () => {
  const owners = new Map<string, Set<string>>();
  for (const path of readdirSync(STATIONS, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.css')) continue;
    const css = readFileSync(`${STATIONS}${path}`, 'utf8').replace(/\/\*.*?\*\//gs, '');
    for (const [, selectors] of css.matchAll(/([^{}@;]+)\{/g))
      for (const selector of selectors!.split(',')) {
        const name = /^\s*\.([\w-]+)/.exec(selector)?.[1];
        if (name) owners.set(name, (owners.get(name) ?? new Set()).add(path.split('/')[0]!));
      }
  }
  expect(owners.size).toBeGreaterThan(100);
  expect([...owners].filter(([, stations]) => stations.size > 1).map(([name]) => name)).toEqual([]);
});
