import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ByteProgress, blobSource, bytesSource, fetchBytes, urlSource } from './source.ts';

const DATA = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251);
let server: Server | undefined;

/** A server that answers every request so; gives the address of a file on it. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir/model.safetensors?v=1`;
}
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const whole = (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'Content-Length': DATA.length }).end(DATA);
};
const ranged = (request: IncomingMessage, response: ServerResponse) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined) return whole(request, response);
  const part = DATA.subarray(Number(from), Number(to) + 1);
  response.writeHead(206, {
    'Content-Range': `bytes ${from}-${to}/${DATA.length}`,
    'Content-Length': part.length,
  });
  response.end(part);
};

describe('bytesSource and blobSource', () => {
  it.each([bytesSource(DATA, 'f'), blobSource(new Blob([DATA]), 'f')])(
    'read what lies there, and nothing beyond',
    async (source) => {
      expect(source.size).toBe(DATA.length);
      expect(await source.read(7, 5)).toEqual(DATA.slice(7, 12));
      expect((await source.read(DATA.length, 0)).byteLength).toBe(0);
      for (const [offset, length] of [
        [DATA.length, 1],
        [-1, 2],
        [0, -1],
        [0, Number.NaN],
      ] as const)
        await expect(source.read(offset, length)).rejects.toMatchObject({ code: 'bad-weights', where: 'f' });
    },
  );
});

describe('urlSource', () => {
  it('asks a server with ranges only for what is read', async () => {
    let sent = 0;
    const url = await serve((request, response) => {
      sent++;
      expect(request.headers.range).toBeDefined();
      ranged(request, response);
    });
    const source = await urlSource(url);
    expect(source).toMatchObject({ name: 'model.safetensors', size: DATA.length });
    expect(await source.read(1000, 70_000)).toEqual(DATA.slice(1000, 71_000));
    expect(sent).toBe(2);
  });

  it('takes the whole file from a server without ranges, with progress', async () => {
    const seen: ByteProgress[] = [];
    const source = await urlSource(await serve(whole), { onProgress: (progress) => seen.push(progress) });
    expect(await source.read(299_990, 10)).toEqual(DATA.slice(299_990));
    expect(seen.at(-1)).toEqual({ bytes: DATA.length, totalBytes: DATA.length });
  });

  it('does not take a short answer for the bytes it asked for', async () => {
    let first = true;
    const url = await serve((request, response) => {
      if (first) ranged(request, response);
      else response.writeHead(206, { 'Content-Range': `bytes 0-1/${DATA.length}` }).end(DATA.subarray(0, 2));
      first = false;
    });
    const source = await urlSource(url);
    await expect(source.read(0, 10)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('sent 2'),
    });
  });
});

describe('fetchBytes', () => {
  it('says what the server answered', async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    await expect(fetchBytes(url)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('404'),
    });
  });

  it('says when the connection breaks off, and after how many bytes', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': DATA.length });
      response.write(DATA.subarray(0, 1000), () => response.destroy());
    });
    await expect(fetchBytes(url)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('broke off'),
    });
  });

  it('says when there is no server', async () => {
    const url = await serve(whole);
    await new Promise((resolve) => server!.close(resolve));
    await expect(fetchBytes(url)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('reached'),
    });
  });

  it('stops when it is cancelled', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': DATA.length });
      response.write(DATA.subarray(0, 1000));
    });
    const control = new AbortController();
    const run = fetchBytes(url, { signal: control.signal, onProgress: () => control.abort() });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  });
});
