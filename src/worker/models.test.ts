import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
