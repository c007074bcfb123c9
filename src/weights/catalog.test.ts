import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fetchCatalog, fetchModel } from './catalog.ts';
import type { ByteProgress } from './source.ts';

const FOLDER = new URL('../../public/models/', import.meta.url);
let server: Server;
let base = '';
/** What the server does to a file on its way. */
let spoil: (path: string, bytes: Buffer) => Buffer = (_, bytes) => bytes;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const path = request.url!.slice(1);
    const bytes = await readFile(new URL(path, FOLDER)).catch(() => undefined);
    if (bytes) response.writeHead(200).end(spoil(path, bytes));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(() => {
  spoil = (_, bytes) => bytes;
});
afterAll(() => server.close());

async function tiny() {
  const { models } = await fetchCatalog(base);
  return models[0]!;
}

describe('the built-in models', () => {
  it('are what their list says', async () => {
    const catalog = await fetchCatalog(base);
    expect(catalog.models.map((model) => model.id)).toContain(catalog.default);
    for (const entry of catalog.models) {
      const model = await fetchModel(entry, base);
      expect(model.fingerprint).toBe(entry.fingerprint);
      expect(model.weights.tensors.get('shared.weight')?.shape).toEqual([entry.vocab, entry.d_model]);
      expect(model.config).toMatchObject({
        d_model: entry.d_model,
        num_layers: entry.encoderLayers,
        d_ff: entry.d_ff,
      });
      expect(model.generationConfig).toMatchObject({ eos_token_id: 1 });
    }
  });
});

describe('fetchModel', () => {
  it('tells how far it is, over all files', async () => {
    const entry = await tiny();
    const seen: ByteProgress[] = [];
    await fetchModel(entry, base, { onProgress: (progress) => seen.push(progress) });
    const totalBytes = entry.files.reduce((sum, file) => sum + file.bytes, 0);
    expect(seen.at(-1)).toEqual({ bytes: totalBytes, totalBytes });
    expect(seen.map((progress) => progress.bytes)).toEqual(
      seen.map((progress) => progress.bytes).sort((a, b) => a - b),
    );
  });

  it('refuses a file that was cut off, or changed', async () => {
    const entry = await tiny();
    spoil = (path, bytes) => (path.endsWith('.safetensors') ? bytes.subarray(0, 1000) : bytes);
    await expect(fetchModel(entry, base)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(/1000 bytes arrived/),
    });
    spoil = (path, bytes) =>
      path.endsWith('.safetensors') ? Buffer.from(bytes).fill(7, 90_000, 90_001) : bytes;
    await expect(fetchModel(entry, base)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(/contents/),
    });
  });

  it('refuses an entry whose files are not there', async () => {
    const entry = await tiny();
    const files = entry.files.map((file) => ({ ...file, path: `no/${file.path}` }));
    await expect(fetchModel({ ...entry, files }, base)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(/404/),
    });
    const fewer = entry.files.filter((file) => file.role !== 'weights');
    await expect(fetchModel({ ...entry, files: fewer }, base)).rejects.toMatchObject({
      message: expect.stringMatching(/no file for its weights/),
    });
  });

  it('can be cancelled', async () => {
    const control = new AbortController();
    const run = fetchModel(await tiny(), base, { signal: control.signal, onProgress: () => control.abort() });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('fetchCatalog', () => {
  it('refuses what is no list of models', async () => {
    spoil = () => Buffer.from('<!doctype html>');
    await expect(fetchCatalog(base)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(/no valid JSON/),
    });
    spoil = () => Buffer.from('{"format":"prelude-models/2"}');
    await expect(fetchCatalog(base)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringMatching(/no list of models/),
    });
  });
});
