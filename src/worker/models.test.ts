import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../weights/index.ts';
import { type LocalHub, localHub } from '../weights/testing/localHub.ts';
import { createModelDesk, type ModelDesk } from './models.ts';
import type { Progress } from './protocol.ts';
import { publicFile, servePublic } from './testing.ts';

let desk: ModelDesk;
let server: Awaited<ReturnType<typeof servePublic>>;
beforeAll(async () => {
  server = await servePublic();
  desk = createModelDesk({ modelsUrl: `${server.url}models/` });
});
afterAll(() => server.close());

const none = () => undefined;

async function tinyFiles(): Promise<File[]> {
  const of = async (path: string) =>
    new File([new Uint8Array(await publicFile(`models/${path}`))], path.split('/').at(-1)!);
  const paths = ['tiny/config.json', 'tiny/model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
  return Promise.all(paths.map(of));
}

describe('the model desk', () => {
  it('lists the built-in models as cards, one of them to begin with', async () => {
    const cards = await desk.listModels();
    expect(cards.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    const tiny = cards.find(({ id }) => id === 'tiny')!;
    const sizes = await Promise.all((await tinyFiles()).map(({ size }) => size));
    expect(tiny.downloadBytes).toBeGreaterThanOrEqual(sizes.reduce((sum, size) => sum + size, 0));
    expect(tiny).toMatchObject({ width: 64, layers: [2, 2] });
  });

  it('loads a built-in model with progress in bytes to the end', async () => {
    const seen: Progress[] = [];
    const { card, loaded, tokenizer, title, id } = await desk.load({ kind: 'builtin', id: 'tiny' }, (p) =>
      seen.push(p),
    );
    expect({ id, title }).toEqual({ id: 'tiny', title: card!.title });
    expect(seen.at(-1)).toMatchObject({
      unit: 'bytes',
      done: card!.downloadBytes,
      total: card!.downloadBytes,
    });
    expect(tokenizer.eosId).toBe(tokenizer.encode('a', { special: true }).at(-1));
    expect(loaded.weights.tensors.size).toBeGreaterThan(0);
  });

  it('loads the same model from files, under a name of its own', async () => {
    const seen: Progress[] = [];
    const builtin = await desk.load({ kind: 'builtin', id: 'tiny' }, none);
    const own = await desk.load({ kind: 'files', files: await tinyFiles() }, (p) => seen.push(p));
    expect(own.card).toBeUndefined();
    expect(own.loaded.fingerprint).toBe(builtin.loaded.fingerprint);
    expect(own.id).toBe(`own-${own.loaded.fingerprint.slice(0, 12)}`);
    expect(seen.at(-1)!.done).toBe(seen.at(-1)!.total);
  });

  it('refuses what is no model, and stops when told to', async () => {
    await expect(desk.load({ kind: 'builtin', id: 'giant' }, none)).rejects.toMatchObject({
      code: 'download',
      remedy: expect.stringContaining('nano-T5 tiny'),
    });
    const files = await tinyFiles();
    await expect(
      desk.load({ kind: 'files', files: files.filter(({ name }) => name !== 'tokenizer.json') }, none),
    ).rejects.toMatchObject({ code: 'bad-tokenizer' });
    const cut = files.map((file) =>
      file.name.endsWith('.safetensors') ? new File([file.slice(0, file.size / 2)], file.name) : file,
    );
    await expect(desk.load({ kind: 'files', files: cut }, none)).rejects.toMatchObject({
      code: 'bad-weights',
    });
    const stop = AbortSignal.abort();
    await expect(desk.load({ kind: 'files', files }, none, stop)).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(desk.load({ kind: 'builtin', id: 'tiny' }, none, stop)).rejects.toMatchObject({
      code: 'cancelled',
    });
    const nowhere = createModelDesk({ modelsUrl: `${server.url}nothing/` });
    await expect(nowhere.listModels()).rejects.toMatchObject({ code: 'download' });
  });
});

describe('a GGUF file', () => {
  const gguf = async (name: string) =>
    new File([await readFile(new URL('../weights/testdata/tiny-f32.gguf', import.meta.url))], name);

  it('is a model of its own: config and tokenizer are inside', async () => {
    const model = await desk.load({ kind: 'files', files: [await gguf('tiny.gguf')] }, none);
    expect(model).toMatchObject({ title: 'tiny.gguf', id: expect.stringMatching(/^own-/) });
    expect(model.loaded.config).toMatchObject({ model_type: 'llama' });
    expect(model.loaded.weights.tensors.has('model.embed_tokens.weight')).toBe(true);
    expect(model.tokenizer.decode(model.tokenizer.encode('Hello world'))).toBe('Hello world');
  });

  it('comes one at a time', async () => {
    const files = [await gguf('a.gguf'), await gguf('b.gguf')];
    await expect(desk.load({ kind: 'files', files }, none)).rejects.toMatchObject({
      remedy: 'Choose one of them.',
    });
  });
});

describe('a folder with spiece.model in place of tokenizer.json', () => {
  it('has its tokenizer', async () => {
    const files = (await tinyFiles()).filter(
      ({ name }) => name !== 'tokenizer.json' && name !== 'tokenizer_config.json',
    );
    const spiece = await readFile(new URL('../text/testdata/t5.spiece.model', import.meta.url));
    const { tokenizer } = await desk.load(
      { kind: 'files', files: [...files, new File([spiece], 'spiece.model')] },
      none,
    );
    expect(tokenizer).toMatchObject({ padId: 0, eosId: 1, unkId: 2 });
    expect(tokenizer.token(tokenizer.size - 1)).toBe('<extra_id_0>');
  });
});

describe('a model of a hub', () => {
  let hub: LocalHub;
  let own: ModelDesk;
  beforeAll(async () => {
    const files = await Promise.all(
      (await tinyFiles()).map(async (file) => [file.name, new Uint8Array(await file.arrayBuffer())] as const),
    );
    hub = await localHub({ id: 'tests/tiny', files: Object.fromEntries(files), token: 'secret' });
    const store = memoryStore();
    own = createModelDesk({ modelsUrl: `${server.url}models/`, store: async () => store });
  });
  afterAll(() => hub.close());
  const source = (more: object = {}) => ({
    kind: 'hub' as const,
    id: 'tests/tiny',
    baseUrl: hub.url,
    token: 'secret',
    ...more,
  });

  it('is looked up before it is downloaded', async () => {
    const report = await own.lookUpHub(source());
    expect(report).toMatchObject({ id: 'tests/tiny', revision: 'main', commit: hub.commit, choices: [] });
    const sizes = (await tinyFiles()).map(({ size }) => size);
    expect(report.downloadBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(hub.sent()).toBe(0);
    await expect(own.lookUpHub(source({ token: undefined }))).rejects.toMatchObject({
      code: 'download',
      remedy: expect.stringContaining('token'),
    });
  });

  it('does not send the token to another server than the one it is for', async () => {
    const before = hub.seen.length;
    const elsewhere = { ...source(), id: `${hub.url}/tests/tiny`, baseUrl: undefined };
    await expect(own.lookUpHub(elsewhere)).rejects.toMatchObject({ code: 'download' });
    const asked = hub.seen.slice(before);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('goes on after it was cancelled, and is the same model as from elsewhere', async () => {
    hub.faults.push({ kind: 'slow', milliseconds: 20, path: 'model.safetensors' });
    const loading = own.load(source(), ({ what, done }) => {
      if (what.startsWith('Downloading') && done > 600_000) own.cancel();
    });
    await expect(loading).rejects.toMatchObject({ code: 'cancelled' });
    expect((await own.cachedModels()).models).toMatchObject([{ complete: false, title: 'tests/tiny' }]);

    const seen: Progress[] = [];
    const model = await own.load(source(), (progress) => seen.push(progress));
    const builtin = await desk.load({ kind: 'builtin', id: 'tiny' }, none);
    expect(model.loaded.fingerprint).toBe(builtin.loaded.fingerprint);
    expect(model).toMatchObject({ title: 'tests/tiny', id: `hub-${model.loaded.fingerprint.slice(0, 12)}` });
    const downloading = seen.filter(({ what }) => what === 'Downloading tests/tiny');
    expect(downloading.at(-1)).toMatchObject({ unit: 'bytes', done: downloading[0]!.total });
    expect(seen.some(({ what }) => what === 'Checking tests/tiny')).toBe(true);
  });

  it('is kept, opens without the hub, and is deleted when another is loaded', async () => {
    await own.load(source(), none);
    const requests = hub.seen.length;
    const { models, lasting } = await own.cachedModels();
    expect(lasting).toBe(false);
    const [kept] = models;
    expect(kept).toMatchObject({ complete: true, title: 'tests/tiny', commit: hub.commit });
    expect(kept!.bytes).toBe(kept!.totalBytes);
    expect(JSON.stringify(models)).not.toContain('secret');
    await own.load(kept!.source, none);
    expect(hub.seen.length).toBe(requests);

    await expect(own.deleteCachedModel(kept!.id)).rejects.toMatchObject({ code: 'storage' });
    await own.load({ kind: 'builtin', id: 'tiny' }, none);
    await own.deleteCachedModel(kept!.id);
    expect((await own.cachedModels()).models).toEqual([]);
  });
});
