import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHubCache, type HubCache, type HubOptions, type HubProgress, keyOf } from './cache.ts';
import { chooseHubFiles, type HubFile, listHubFiles } from './hub.ts';
import { parseHubAddress } from './hub-address.ts';
import { memoryStore } from './store.ts';
import { folderStore } from './testing/folderStore.ts';
import { type LocalHub, type LocalHubOptions, localHub } from './testing/localHub.ts';

const text = (value: string) => new TextEncoder().encode(value);
/** Bytes that no two places of the file share. */
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 13);
const CHUNK = 100_000;
const weights = noise(12 * CHUNK + 345);
const files = {
  'config.json': text('{"model_type":"t5"}'),
  'tokenizer.json': text('{"model":{}}'),
  'spiece.model': noise(300),
  'model.safetensors': weights,
  'tf_model.h5': noise(50_000),
  'README.md': text('# A model'),
};
const total = files['config.json'].length + files['tokenizer.json'].length + weights.length;

let root: string;
let hub: LocalHub;
let cache: HubCache;
const waits: number[] = [];
const options = (more: HubOptions = {}): HubOptions => ({
  chunkBytes: CHUNK,
  pause: async (milliseconds) => void waits.push(milliseconds),
  ...more,
});
const start = async (more: Partial<LocalHubOptions> = {}) => {
  await hub?.close();
  hub = await localHub({ files, ...more });
};
const address = (more: { revision?: string; file?: string } = {}) =>
  parseHubAddress('tests/model', { baseUrl: hub.url, ...more });
const open = (more?: HubOptions) => cache.open(address(), options(more));
const read = async (model: Awaited<ReturnType<typeof open>>, name: string) => {
  const source = model.sources.find((one) => one.name === name)!;
  return source.read(0, source.size);
};
/** Not by `toEqual`, which takes seconds for a million bytes. */
const expectWeights = async (model: Awaited<ReturnType<typeof open>>) =>
  expect(Buffer.compare(await read(model, 'model.safetensors'), weights)).toBe(0);

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'prelude-hub-'));
  waits.length = 0;
  cache = createHubCache(folderStore(root));
  await start();
});
afterEach(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});

describe('parseHubAddress', () => {
  const home = 'https://huggingface.co';
  it.each([
    ['google/t5-small-lm-adapt', { baseUrl: home, id: 'google/t5-small-lm-adapt', revision: 'main' }],
    [' gpt2 ', { baseUrl: home, id: 'gpt2', revision: 'main' }],
    ['a/b@v1.0', { baseUrl: home, id: 'a/b', revision: 'v1.0' }],
    ['https://huggingface.co/a/b', { baseUrl: home, id: 'a/b', revision: 'main' }],
    ['https://hf.co/a/b/tree/dev', { baseUrl: home, id: 'a/b', revision: 'dev' }],
    [
      'https://huggingface.co/a/b/blob/main/x/m-Q4_K_M.gguf?download=true',
      { baseUrl: home, id: 'a/b', revision: 'main', file: 'x/m-Q4_K_M.gguf' },
    ],
    ['http://class.local:8080/a/b', { baseUrl: 'http://class.local:8080', id: 'a/b', revision: 'main' }],
  ])('%s', (typed, expected) => {
    expect(parseHubAddress(typed)).toEqual(expected);
  });

  it('asks a mirror, in a folder of its server too', () => {
    const mirror = { baseUrl: 'https://mirror.example/hub/' };
    const expected = { baseUrl: 'https://mirror.example/hub', id: 'a/b', revision: 'main' };
    expect(parseHubAddress('a/b', mirror)).toEqual(expected);
    expect(parseHubAddress('https://mirror.example/hub/a/b', mirror)).toEqual(expected);
  });

  it.each(['', 'a/b/c', '../b', 'a b', 'https://', 'https://huggingface.co/', 'a/b@../x', '.hidden/x'])(
    'refuses %j',
    (typed) => {
      expect(() => parseHubAddress(typed)).toThrow(expect.objectContaining({ code: 'download' }));
    },
  );
});

describe('chooseHubFiles', () => {
  const choose = (names: string[], file?: string) => {
    const all: HubFile[] = names.map((path, i) => ({ path, bytes: i + 1 }));
    const { files, choices } = chooseHubFiles({ address: { ...address(), file }, files: all });
    return { files: files.map(({ path }) => path), choices: choices.map(({ path }) => path) };
  };
  it('takes one tokenizer and the first form of weights', () => {
    const names = [
      'config.json',
      'spiece.model',
      'tokenizer.json',
      'pytorch_model.bin',
      'model.safetensors',
      'tf_model.h5',
    ];
    expect(choose(names).files).toEqual(['config.json', 'tokenizer.json', 'model.safetensors']);
    expect(choose(['config.json', 'spiece.model', 'pytorch_model.bin']).files).toEqual([
      'config.json',
      'spiece.model',
      'pytorch_model.bin',
    ]);
  });
  it('takes the shards with their index, of this model only', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const names = [
      'config.json',
      'model.safetensors.index.json',
      ...shards,
      'onnx/model.safetensors',
      'consolidated.safetensors',
    ];
    expect(choose(names).files).toEqual(['config.json', 'model.safetensors.index.json', ...shards]);
    expect(
      choose(['config.json', 'pytorch_model.bin.index.json', 'pytorch_model-00001-of-00001.bin']).files,
    ).toHaveLength(3);
  });
  it('offers GGUF files, and takes the only one or the one that is named', () => {
    const two = ['m-Q8_0.gguf', 'm-Q4_0.gguf', 'README.md'];
    expect(choose(two)).toEqual({ files: [], choices: ['m-Q8_0.gguf', 'm-Q4_0.gguf'] });
    expect(choose(two, 'm-Q4_0.gguf').files).toEqual(['m-Q4_0.gguf']);
    expect(choose(['m-Q8_0.gguf']).files).toEqual(['m-Q8_0.gguf']);
    expect(() => choose(two, 'other.gguf')).toThrow(/no file other\.gguf/);
  });
  it('says what else it may be', () => {
    expect(() => choose(['adapter_config.json', 'adapter_model.safetensors'])).toThrow(
      expect.objectContaining({ code: 'download', remedy: expect.stringContaining('adapter') }),
    );
    expect(() => choose(['config.json', 'tf_model.h5'])).toThrow(/no model that Prelude reads/);
  });
});

describe('listHubFiles', () => {
  it('lists files with sizes and hashes at a commit, over several pages', async () => {
    await start({ page: 2 });
    const listing = await listHubFiles(address(), options());
    expect(listing.commit).toBe(hub.commit);
    expect(listing.files.map(({ path }) => path)).toEqual(Object.keys(files));
    const find = (path: string) => listing.files.find((file) => file.path === path)!;
    expect(find('model.safetensors')).toMatchObject({
      bytes: weights.length,
      sha256: expect.stringMatching(/^\w{64}$/),
    });
    expect(find('config.json')).toMatchObject({ gitSha1: expect.stringMatching(/^\w{40}$/) });
  });

  it.each<[string, Partial<LocalHubOptions>, HubOptions, string | undefined, RegExp, RegExp]>([
    ['a model that is not there', { id: 'tests/other' }, {}, undefined, /no such model/, /spelling/],
    ['a revision that is not there', {}, {}, 'v9', /no such revision/, /main/],
    ['a private model without a token', { token: 'secret' }, {}, undefined, /private or gated/, /token/],
    [
      'a token that may not',
      { token: 'secret' },
      { token: 'wrong' },
      undefined,
      /this token/,
      /Check that the token/,
    ],
  ])('tells of %s', async (_, server, access, revision, message, remedy) => {
    await start(server);
    await expect(listHubFiles(address({ revision }), options(access))).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    });
  });

  it('takes the revision as it is from a mirror that only lists', async () => {
    await start({ listOnly: true });
    expect((await listHubFiles(address(), options())).commit).toBe('main');
  });

  it('sends no token that is none', async () => {
    await expect(listHubFiles(address(), options({ token: 'hf_abc\u200b' }))).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('token'),
    });
    expect(hub.seen).toEqual([]);
  });

  it('sends no token over plain http to another machine', async () => {
    const far = parseHubAddress('a/b', { baseUrl: 'http://class.example' });
    await expect(listHubFiles(far, options({ token: 'secret' }))).rejects.toMatchObject({
      message: expect.stringContaining('plain http'),
    });
  });
});

describe('a download', () => {
  it('brings the chosen files, verified, with progress to the end, and sends the token to the hub only', async () => {
    await start({ token: 'secret' });
    const seen: HubProgress[] = [];
    const model = await open({ token: 'secret', onProgress: (progress) => seen.push({ ...progress }) });
    expect(model.commit).toBe(hub.commit);
    expect(model.sources.map(({ name }) => name)).toEqual([
      'config.json',
      'tokenizer.json',
      'model.safetensors',
    ]);
    await expectWeights(model);
    expect(await read(model, 'config.json')).toEqual(files['config.json']);
    expect(seen.at(-1)).toEqual({ phase: 'check', bytes: total, totalBytes: total });
    expect(hub.sent()).toBe(total);
    const elsewhere = hub.seen.filter(({ host }) => host === hub.filesHost);
    expect(elsewhere.length).toBeGreaterThan(12);
    expect(elsewhere.filter(({ authorization }) => authorization)).toEqual([]);
    expect(hub.seen.filter(({ host, authorization }) => host !== hub.filesHost && !authorization)).toEqual(
      [],
    );
  });

  it('is there the next time without the hub, byte for byte, and the token is nowhere in what is kept', async () => {
    await start({ token: 'secret-token' });
    await open({ token: 'secret-token' });
    const requests = hub.seen.length;
    const again = createHubCache(folderStore(root));
    const model = await again.open(address(), options());
    await expectWeights(model);
    expect(hub.seen.length).toBe(requests);
    const store = folderStore(root);
    for (const { name } of await store.files(model.key)) {
      const source = (await store.source(model.key, name))!;
      expect(new TextDecoder('latin1').decode(await source.read(0, source.size))).not.toContain(
        'secret-token',
      );
    }
  });

  it('goes on after cut connections, from the byte where they broke', async () => {
    for (const after of [10_000, 200, 0, 300])
      hub.faults.push({ kind: 'cut', after, path: 'model.safetensors' });
    const model = await open();
    await expectWeights(model);
    expect(waits.length).toBe(4);
    // Nothing that arrived was asked for again; what a cut swallowed on its way may have been.
    expect(hub.sent()).toBeLessThan(total + 4 * CHUNK);
    expect(hub.seen.some(({ range }) => range && !/=\d*00000-/.test(range) && !range.includes('=0-'))).toBe(
      true,
    );
  });

  it('goes on after a reload with what has arrived', async () => {
    hub.faults.push({ kind: 'slow', milliseconds: 20, times: 1000 });
    const stop = new AbortController();
    let arrived = 0;
    await expect(
      open({
        signal: stop.signal,
        onProgress: ({ bytes }) => {
          arrived = bytes;
          if (bytes > 0.5 * total) stop.abort();
        },
      }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    hub.faults.length = 0;
    const before = hub.seen.length;
    // Another visit: nothing is in memory any more.
    cache = createHubCache(folderStore(root));
    const [partial] = await cache.list();
    expect(partial).toMatchObject({ complete: false, totalBytes: total, commit: hub.commit });
    expect(partial!.bytes).toBeGreaterThan(0.2 * total);
    const seen: number[] = [];
    const model = await open({
      onProgress: ({ phase, bytes }) => void (phase === 'download' && seen.push(bytes)),
    });
    await expectWeights(model);
    const asked = hub.seen.slice(before).filter(({ host, range }) => host === hub.filesHost && range);
    const bytes = asked
      .map(({ range }) => range!.match(/\d+/g)!.map(Number))
      .map(([from, to]) => to! + 1 - from!);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBe(total - partial!.bytes);
    expect(arrived).toBeGreaterThan(0.5 * total);
    expect(seen.at(-1)).toBe(total);
  });

  it('is cancelled at any moment: before it begins, while it waits, while it checks', async () => {
    await expect(open({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    hub.faults.push({ kind: 'status', status: 429, path: 'model.safetensors' });
    const waiting = new AbortController();
    const pause = async (_: number, signal?: AbortSignal) => {
      waiting.abort();
      signal?.throwIfAborted();
    };
    await expect(open({ signal: waiting.signal, pause })).rejects.toMatchObject({ code: 'cancelled' });
    const checking = new AbortController();
    const onProgress = ({ phase }: HubProgress) => void (phase === 'check' && checking.abort());
    await expect(open({ signal: checking.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
    // All had arrived: only the check is done again.
    const sent = hub.sent();
    await expectWeights(await open());
    expect(hub.sent()).toBe(sent);
  });

  it('waits as the server asks on 429, and on 503 and an address that has expired', async () => {
    hub.faults.push(
      { kind: 'status', status: 429, headers: { 'Retry-After': '7' } },
      { kind: 'status', status: 503, path: 'model.safetensors' },
      { kind: 'expired', path: 'model.safetensors' },
    );
    const model = await open();
    await expectWeights(model);
    expect(waits).toContain(7000);
    expect(waits.length).toBe(3);
  });

  it('gives up in the end, with what to do', async () => {
    hub.faults.push({ kind: 'status', status: 500, times: 1000 });
    await expect(open()).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('500'),
      remedy: expect.stringContaining('goes on where it stopped'),
    });
    await hub.close();
    await expect(createHubCache(memoryStore()).open(address(), options())).rejects.toMatchObject({
      message: expect.stringContaining('could not be reached'),
    });
  });

  it('asks again when a server stalls', async () => {
    hub.faults.push({ kind: 'hang', path: 'model.safetensors' });
    const model = await open({ stallMs: 100 });
    await expectWeights(model);
  });

  it('tells of a licence that must be accepted, with and without a token', async () => {
    await start({ gated: true });
    await expect(open()).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('licence must be accepted'),
      remedy: expect.stringMatching(/token/),
    });
    await expect(open({ token: 'secret' })).rejects.toMatchObject({
      remedy: expect.stringMatching(/accept the licence/),
    });
  });

  it.each<[string, number]>([
    ['longer', 500],
    ['shorter', -500],
  ])('refuses a file that is %s than listed', async (_, by) => {
    await start({ lies: { 'model.safetensors': { size: weights.length - by } } });
    await expect(open()).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(/the hub lists/),
    });
  });

  it('refuses contents with another hash, keeps none of them, and brings the right ones the next time', async () => {
    hub.faults.push({ kind: 'wrong-bytes', path: 'model.safetensors' });
    await expect(open()).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(/SHA-256 differs/),
      remedy: expect.stringMatching(/again/),
    });
    const names = (await folderStore(root).files(keyOf(address()))).map(({ name }) => name);
    expect(names).not.toContain('model.safetensors');
    await expectWeights(await open());
    await cache.delete(keyOf(address()));
    hub.faults.push({ kind: 'wrong-bytes', path: 'config.json' });
    await expect(open()).rejects.toMatchObject({
      message: expect.stringMatching(/config\.json.*SHA-1 differs/),
    });
  });

  it('takes a whole file from a server without ranges', async () => {
    await start({ noRanges: true });
    hub.faults.push({ kind: 'cut', after: 250_000, path: 'model.safetensors' });
    const model = await open();
    await expectWeights(model);
  });

  it('is one at a time for a model, and another can go on beside it', async () => {
    const first = open();
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining('already') });
    await first;
    await expectWeights(await open());
  });

  it('does not begin without room', async () => {
    cache = createHubCache(folderStore(root, { usedBytes: 900, quotaBytes: 1000 }));
    await expect(open()).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('needs 1.2 MB'),
    });
    expect(hub.sent()).toBe(0);
  });

  it('asks which of several GGUF files', async () => {
    await start({ files: { 'a-Q8_0.gguf': noise(30_000), 'a-Q4_0.gguf': noise(20_000) } });
    await expect(open()).rejects.toMatchObject({ remedy: expect.stringContaining('a-Q4_0.gguf (0.0 MB)') });
    const model = await cache.open(address({ file: 'a-Q4_0.gguf' }), options());
    expect(await read(model, 'a-Q4_0.gguf')).toEqual(noise(20_000));
  });

  it('works in memory where the browser keeps no files', async () => {
    cache = createHubCache(memoryStore());
    expect(cache.lasting).toBe(false);
    await expectWeights(await open());
  });
});

describe('kept models', () => {
  it('are listed with sizes, and deleted', async () => {
    const { key } = await open();
    const [model, ...others] = await cache.list();
    expect(others).toEqual([]);
    expect(model).toMatchObject({ key, complete: true, bytes: total, totalBytes: total, commit: hub.commit });
    expect(model!.address.id).toBe('tests/model');
    await cache.delete(key);
    expect(await cache.list()).toEqual([]);
    expect(await folderStore(root).folders()).toEqual([]);
  });

  it('that the browser cleared in part are fetched again', async () => {
    const { key } = await open();
    await folderStore(root).removeFile(key, 'model.safetensors');
    await expectWeights(await open());
  });

  it('whose record is broken do not stay', async () => {
    const { key } = await open();
    const writer = await folderStore(root).writer(key, 'record');
    await writer.resize(5);
    await writer.close();
    expect(await cache.list()).toEqual([]);
    await expectWeights(await open());
  });
});
