import { afterEach, describe, expect, it } from 'vitest';
import { createHubCache } from './cache.ts';
import { chooseHubFiles, listHubFiles } from './hub.ts';
import { parseHubAddress } from './hub-address.ts';
import { peekHubFiles } from './hub-peek.ts';
import { memoryStore } from './store.ts';
import { type LocalHub, type LocalHubOptions, localHub } from './testing/localHub.ts';

const text = (value: string) => new TextEncoder().encode(value);
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 13);
const files = {
  'config.json': text('{"model_type":"t5"}'),
  'tokenizer.json': text('{"model":{}}'),
  'model.safetensors': weights,
};

let hub: LocalHub;
afterEach(() => hub.close());
const address = (more: { revision?: string } = {}) =>
  parseHubAddress('tests/model', { baseUrl: hub.url, ...more });

describe('looking into files without downloading them', () => {
  const peek = async (more: Partial<LocalHubOptions> = {}) => {
    hub = await localHub({ files, ...more });
    const listing = await listHubFiles(address());
    const sources = peekHubFiles(listing, chooseHubFiles(listing).files);
    return sources.find(({ name }) => name === 'model.safetensors')!;
  };

  it('fetches what is read, and a beginning only once', async () => {
    const source = await peek();
    expect(source.size).toBe(weights.length);
    expect(await source.read(0, 8)).toEqual(weights.slice(0, 8));
    expect(await source.read(8, 400)).toEqual(weights.slice(8, 408));
    expect(await source.read(4, 10)).toEqual(weights.slice(4, 14));
    expect(await source.read(weights.length - 5, 5)).toEqual(weights.slice(-5));
    expect(hub.sent()).toBe(413);
    await expect(source.read(0, weights.length + 1)).rejects.toMatchObject({ code: 'download' });
  });

  it('takes up a cut connection by itself', async () => {
    const source = await peek();
    hub.faults.push({ kind: 'cut', after: 10, path: 'model.safetensors' });
    expect((await source.read(0, 5000)).length).toBe(5000);
  });

  it('reads small files of a server without ranges', async () => {
    const source = await peek({ noRanges: true });
    expect(await source.read(100, 50)).toEqual(weights.slice(100, 150));
  });

  it('reads a kept model where it is whole, and knows of no other', async () => {
    hub = await localHub({ files });
    const cache = createHubCache(memoryStore());
    expect(await cache.kept(address())).toBeUndefined();
    await cache.open(address());
    const requests = hub.seen.length;
    const kept = await cache.kept(address());
    expect(kept!.map(({ name }) => name).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    expect(hub.seen.length).toBe(requests);
    expect(await cache.kept(address({ revision: 'other' }))).toBeUndefined();
  });
});
