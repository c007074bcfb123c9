import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { openDB } from 'idb';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openPromptStore, openRunStore } from './store.ts';
import { bitsOf, samplePrompt } from './testing.ts';

beforeEach(() => {
  vi.unstubAllGlobals();
  vi.stubGlobal('indexedDB', new IDBFactory());
});

describe('kept prompts', () => {
  test('come back whole, on another visit too', async () => {
    const prompt = samplePrompt();
    const first = await openPromptStore();
    const { id } = await first.put(prompt, ['converted']);
    first.close();
    const store = await openPromptStore();
    const got = await store.get(id);
    expect(got).toEqual(prompt);
    expect(bitsOf(got!.values)).toEqual(bitsOf(prompt.values));
    const [listed] = await store.list();
    expect(listed).toMatchObject({ id, name: 'film reviews', notes: ['converted'], metrics: prompt.metrics });
    expect(listed).not.toHaveProperty('values');
    expect(await store.get('no such')).toBeUndefined();
  });

  test('a view is kept without the buffer under it', async () => {
    const store = await openPromptStore();
    const { id } = await store.put(samplePrompt({ values: new Float32Array(1000).subarray(10, 16) }));
    expect((await store.get(id))!.values.buffer.byteLength).toBe(24);
  });

  test('newest first, under names of their own', async () => {
    const store = await openPromptStore();
    for (let i = 0; i < 3; i++) await store.put(samplePrompt());
    await store.put(samplePrompt({ name: ' \u0007 ' }));
    const names = (await store.list()).map((p) => p.name);
    expect(names).toEqual(['prompt', 'film reviews 3', 'film reviews 2', 'film reviews']);
  });

  test('rename keeps the place and avoids taken names', async () => {
    const store = await openPromptStore();
    const a = await store.put(samplePrompt({ name: 'a' }));
    await store.put(samplePrompt({ name: 'b' }));
    expect((await store.rename(a.id, 'b'))!.name).toBe('b 2');
    expect((await store.rename(a.id, 'b 2'))!.name).toBe('b 2');
    expect((await store.list()).map((p) => p.name)).toEqual(['b', 'b 2']);
    expect((await store.get(a.id))!.values).toHaveLength(6);
    expect(await store.rename('no such', 'x')).toBeUndefined();
  });

  test('delete can be undone', async () => {
    const store = await openPromptStore();
    const a = await store.put(samplePrompt({ name: 'a' }));
    await store.put(samplePrompt({ name: 'b' }));
    const deleted = await store.delete(a.id);
    expect((await store.list()).map((p) => p.name)).toEqual(['b']);
    expect(await store.get(a.id)).toBeUndefined();
    await store.restore(deleted!);
    expect((await store.list()).map((p) => p.name)).toEqual(['b', 'a']);
    expect(await store.get(a.id)).toEqual(samplePrompt({ name: 'a' }));
    expect(await store.delete('no such')).toBeUndefined();
  });

  test('two tabs saving at once do not take one name', async () => {
    const [one, two] = await Promise.all([openPromptStore(), openPromptStore()]);
    const kept = await Promise.all([one, two, one, two].map((store) => store.put(samplePrompt())));
    expect(new Set(kept.map((p) => p.name)).size).toBe(4);
    expect(new Set(kept.map((p) => p.order)).size).toBe(4);
  });
});

describe('a browser that refuses', () => {
  test('no IndexedDB, or one that does not open', async () => {
    vi.stubGlobal('indexedDB', undefined);
    await expect(openPromptStore()).rejects.toMatchObject({ code: 'storage' });
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('blocked', 'SecurityError');
      },
    });
    await expect(openRunStore()).rejects.toMatchObject({ code: 'storage' });
  });

  test.each([0, 1])('a disk that is full at write %i leaves nothing half-written', async (at) => {
    const store = await openPromptStore();
    await store.put(samplePrompt());
    const put = IDBObjectStore.prototype.put;
    let writes = 0;
    const full = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
      ...args
    ) {
      if (writes++ === at) throw new DOMException('full', 'QuotaExceededError');
      return put.apply(this, args);
    });
    await expect(store.put(samplePrompt())).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('no more room'),
    });
    full.mockRestore();
    expect((await store.list()).map((p) => p.name)).toEqual(['film reviews']);
  });
});

describe('checkpoints of runs', () => {
  test('the last one of each run, latest run first', async () => {
    const store = await openRunStore<{ step: number; prompt: Float32Array }>();
    const checkpoint = (step: number) => ({
      state: { step, prompt: new Float32Array(3).fill(step) },
      updatedAt: new Date(1e12 + step).toISOString(),
    });
    await store.put('a', checkpoint(1));
    await store.put('b', checkpoint(2));
    await store.put('a', checkpoint(3));
    expect((await store.list()).map((run) => [run.id, run.state.step])).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect((await store.get('a'))!.state.prompt).toEqual(new Float32Array(3).fill(3));
    await store.delete('a');
    expect(await store.get('a')).toBeUndefined();
    expect(await store.list()).toHaveLength(1);
  });

  test('a state that cannot be cloned is our mistake and says so', async () => {
    const store = await openRunStore<() => void>();
    await expect(store.put('a', { state: () => {}, updatedAt: '' })).rejects.toThrow(/clone/i);
  });
});

describe('snapshots of a run’s prompt', () => {
  test('in the order of the steps, each run its own; they go with the run', async () => {
    const store = await openRunStore<number>();
    for (const step of [10, 0, 2]) await store.putSnapshot('a', step, Float32Array.of(step));
    await store.putSnapshot('b', 1, Float32Array.of(7));
    await store.putSnapshot('a', 10, Float32Array.of(11));
    expect((await store.snapshots('a')).map(({ step, values }) => [step, values[0]])).toEqual([
      [0, 0],
      [2, 2],
      [10, 11],
    ]);
    await store.dropSnapshots('a', [2, 3]);
    expect((await store.snapshots('a')).map(({ step }) => step)).toEqual([0, 10]);
    await store.delete('a');
    expect(await store.snapshots('a')).toEqual([]);
    expect(await store.snapshots('b')).toHaveLength(1);
  });

  test('a database of the first version takes them up and loses nothing', async () => {
    const old = await openDB('prelude-prompts', 1, {
      upgrade(db) {
        db.createObjectStore('prompts', { keyPath: 'id' }).createIndex('order', 'order');
        db.createObjectStore('values');
        db.createObjectStore('runs', { keyPath: 'id' }).createIndex('updatedAt', 'updatedAt');
      },
    });
    await old.put('runs', { id: 'a', state: 5, updatedAt: '2026' });
    old.close();
    const store = await openRunStore<number>();
    expect((await store.get('a'))?.state).toBe(5);
    await store.putSnapshot('a', 0, Float32Array.of(1));
    expect(await store.snapshots('a')).toHaveLength(1);
  });
});
