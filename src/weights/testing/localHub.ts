import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the next answers for a file's bytes do wrong, each once unless `times` says more. */
export interface Fault {
  kind: 'status' | 'cut' | 'wrong-bytes' | 'slow' | 'expired' | 'hang';
  /** Of `status`. */
  status?: number;
  headers?: Record<string, string>;
  /** Of `cut`: bytes sent before. */
  after?: number;
  /** Of `slow`: pause between pieces of 16 KiB. */
  milliseconds?: number;
  times?: number;
  /** Only for this file. */
  path?: string;
}

export interface LocalHub {
  /** Where the API and `resolve` are; files are on another host name. */
  url: string;
  /** The host that files' addresses lead to. */
  filesHost: string;
  commit: string;
  faults: Fault[];
  /** Every request: host, path, and the headers that matter. */
  seen: { host: string; method: string; url: string; range?: string; authorization?: string }[];
  /** Bytes of files sent. */
  sent(): number;
  close(): Promise<void>;
}

export interface LocalHubOptions {
  id?: string;
  files: Readonly<Record<string, Uint8Array>>;
  /** Needed to read anything; a file's bytes too. */
  token?: string;
  /** The licence must be accepted: 403 with GatedRepo although the token is right. */
  gated?: boolean;
  /** A server without ranges, as simple mirrors are. */
  noRanges?: boolean;
  /** What the list says instead of the truth, by path. */
  lies?: Readonly<Record<string, { size?: number; sha256?: string }>>;
  /** No `/revision/`, as simple mirrors have none. */
  listOnly?: boolean;
  /** Files at most on a page of the list. */
  page?: number;
}

/** Files above this are LFS, with a SHA-256 in the list. */
const LFS_BYTES = 10_000;

/**
 * A hub for tests: the API of lists and revisions, and `resolve`, which leads to another host name of the same machine
 * (127.0.0.1 to localhost), where the bytes are, by ranges. Faults are handed out in order.
 */
export async function localHub(options: LocalHubOptions): Promise<LocalHub> {
  const { id = 'tests/model', files } = options;
  const commit = createHash('sha1').update(Object.keys(files).join()).digest('hex');
  const faults: Fault[] = [];
  const seen: LocalHub['seen'] = [];
  let sent = 0;
  const server: Server = createServer((request, response) => {
    const [hostname] = (request.headers.host ?? '').split(':');
    seen.push({
      host: hostname!,
      method: request.method!,
      url: request.url!,
      range: request.headers.range,
      authorization: request.headers.authorization,
    });
    response.on('error', () => undefined);
    // As the hub does, so that a page of another origin may ask.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'X-Error-Code,Link,ETag,Content-Range');
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Headers', 'authorization,range,accept');
      response.writeHead(204).end();
      return;
    }
    void answer(request, response, hostname!).catch(() => response.destroy());
  });
  // Both names reach it, whatever "localhost" is on this machine.
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;

  const entry = (path: string) => {
    const bytes = files[path]!;
    const lie = options.lies?.[path];
    const size = lie?.size ?? bytes.byteLength;
    const isLfs = bytes.byteLength > LFS_BYTES;
    const hash = (kind: string, content: Uint8Array, before = '') =>
      createHash(kind).update(before).update(content).digest('hex');
    return {
      type: 'file',
      path,
      size,
      oid: hash('sha1', bytes, `blob ${bytes.byteLength}\0`),
      ...(isLfs && { lfs: { oid: lie?.sha256 ?? hash('sha256', bytes), size, pointerSize: 130 } }),
    };
  };
  const fail = (response: ServerResponse, status: number, code?: string) => {
    response.writeHead(status, code ? { 'X-Error-Code': code } : {});
    response.end('{"error":"no"}');
  };

  async function answer(request: IncomingMessage, response: ServerResponse, hostname: string): Promise<void> {
    const url = new URL(request.url!, `http://${hostname}:${port}`);
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith('/bytes/')) return sendBytes(path.slice('/bytes/'.length), request, response);
    if (options.token && request.headers.authorization !== `Bearer ${options.token}`)
      return fail(response, 401, 'RepoNotFound');
    const isFile = path.startsWith(`/${id}/resolve/`);
    if (options.gated && isFile) return fail(response, 403, 'GatedRepo');
    if (path === `/api/models/${id}/revision/main` && !options.listOnly) {
      response.end(JSON.stringify({ id, sha: commit }));
      return;
    }
    const tree = `/api/models/${id}/tree/`;
    if (path.startsWith(tree)) {
      const revision = path.slice(tree.length);
      if (revision !== 'main' && revision !== commit) return fail(response, 404, 'RevisionNotFound');
      const all = Object.keys(files).map(entry);
      const from = Number(url.searchParams.get('cursor') ?? 0);
      const page = all.slice(from, from + (options.page ?? all.length));
      const next = new URL(url);
      next.searchParams.set('cursor', String(from + page.length));
      response.writeHead(200, from + page.length < all.length ? { Link: `<${next.href}>; rel="next"` } : {});
      response.end(JSON.stringify([{ type: 'directory', path: 'onnx', size: 0, oid: commit }, ...page]));
      return;
    }
    const name = isFile ? path.split('/').slice(5).join('/') : '';
    if (!files[name]) return fail(response, 404, 'EntryNotFound');
    const at = faults.findIndex((fault) => fault.kind === 'status' && (fault.path ?? name) === name);
    if (at >= 0) {
      const fault = spend(at);
      response.writeHead(fault.status!, fault.headers);
      response.end();
      return;
    }
    response.writeHead(302, { Location: `http://localhost:${port}/bytes/${name}` });
    response.end();
  }

  function spend(at: number): Fault {
    const fault = faults[at]!;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) faults.splice(at, 1);
    return fault;
  }

  async function sendBytes(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = files[name]!;
    const match = options.noRanges ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const start = match ? Number(match[1]) : 0;
    const end = match ? Math.min(Number(match[2]) + 1, bytes.byteLength) : bytes.byteLength;
    const at = faults.findIndex((fault) => fault.kind !== 'status' && (fault.path ?? name) === name);
    const fault = at >= 0 ? spend(at) : undefined;
    if (fault?.kind === 'expired') return fail(response, 403);
    if (match && start >= bytes.byteLength) return fail(response, 416);
    response.writeHead(match ? 206 : 200, {
      'Content-Length': end - start,
      ...(match && { 'Content-Range': `bytes ${start}-${end - 1}/${bytes.byteLength}` }),
    });
    if (fault?.kind === 'hang') return response.flushHeaders();
    let part = bytes.subarray(start, end);
    if (fault?.kind === 'wrong-bytes') part = part.map((byte) => byte ^ 1);
    const stop = fault?.kind === 'cut' ? Math.min(fault.after!, part.byteLength) : part.byteLength;
    for (let i = 0; i < stop; i += 16_384) {
      const piece = part.subarray(i, Math.min(i + 16_384, stop));
      sent += piece.byteLength;
      if (response.destroyed) return;
      await new Promise<void>((resolve) => response.write(piece, () => resolve()));
      if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.milliseconds));
    }
    if (fault?.kind === 'cut') response.destroy();
    else response.end();
  }

  return {
    url: `http://127.0.0.1:${port}`,
    filesHost: 'localhost',
    commit,
    faults,
    seen,
    sent: () => sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
