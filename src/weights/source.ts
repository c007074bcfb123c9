import { PreludeError } from '../errors.ts';
import { badWeights } from './problem.ts';

/** Something with bytes that can be read piece by piece: a dropped file, bytes in memory, a file on a server. */
export interface ByteSource {
  /** For messages: the file's name. */
  readonly name: string;
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset` on.
   * @throws PreludeError 'bad-weights' when the file has no such bytes, 'download' when a server fails.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** How far a download is. `totalBytes` is undefined while the server has not said. */
export interface ByteProgress {
  bytes: number;
  totalBytes: number | undefined;
}

function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  // So written that NaN is refused too.
  if (!(offset >= 0 && length >= 0 && offset + length <= source.size))
    throw badWeights(
      source.name,
      `the file has ${source.size} bytes, but bytes ${offset} to ${offset + length} were asked for.`,
    );
}

/** Bytes in memory as a source; `read` gives views, not copies. */
export function bytesSource(bytes: Uint8Array, name = 'bytes'): ByteSource {
  const self: ByteSource = {
    name,
    size: bytes.byteLength,
    async read(offset, length) {
      checkRange(self, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
  return self;
}

/** A dropped or chosen file (or any Blob) as a source; only what is read comes into memory. */
export function blobSource(blob: Blob, name = blob instanceof File ? blob.name : 'file'): ByteSource {
  const self: ByteSource = {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(self, offset, length);
      const bytes = await blob
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch((cause: unknown) => {
          throw badWeights(
            name,
            'the browser could not read the file.',
            'Choose the file again: it was moved or changed.',
            cause,
          );
        });
      if (bytes.byteLength !== length)
        throw badWeights(name, `${length} bytes were asked for, ${bytes.byteLength} came.`);
      return new Uint8Array(bytes);
    },
  };
  return self;
}

/** Options of a download. */
export interface FetchOptions {
  onProgress?: (progress: ByteProgress) => void;
  signal?: AbortSignal;
}

/**
 * A file on a server as a source. A server that answers ranges is asked for the pieces that are read, as they are
 * read; any other sends the whole file at once, with progress.
 */
export async function urlSource(url: string, options: FetchOptions = {}): Promise<ByteSource> {
  const response = await request(url, { headers: { Range: 'bytes=0-0' }, signal: options.signal });
  const total = /^bytes 0-0\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '')?.[1];
  if (response.status !== 206 || total === undefined)
    return bytesSource(await readBody(response, url, options), fileName(url));
  await response.body?.cancel();
  const self: ByteSource = {
    name: fileName(url),
    size: Number(total),
    async read(offset, length) {
      checkRange(self, offset, length);
      if (length === 0) return new Uint8Array(0);
      const part = await request(url, {
        headers: { Range: `bytes=${offset}-${offset + length - 1}` },
        signal: options.signal,
      });
      const bytes = await readBody(part, url, { signal: options.signal });
      if (part.status === 206 && bytes.byteLength === length) return bytes;
      throw downloadError(
        url,
        `the server was asked for ${length} bytes from ${offset} and sent ${bytes.byteLength}.`,
      );
    },
  };
  return self;
}

/** The whole of a file on a server, with progress. */
export async function fetchBytes(url: string, options: FetchOptions = {}): Promise<Uint8Array> {
  return readBody(await request(url, { signal: options.signal }), url, options);
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    if (init.signal?.aborted) throw cancelled(url, cause);
    throw downloadError(url, 'the server could not be reached.', cause);
  });
  if (response.ok) return response;
  throw downloadError(url, `the server answered ${`${response.status} ${response.statusText}`.trim()}.`);
}

async function readBody(response: Response, url: string, options: FetchOptions): Promise<Uint8Array> {
  const length = response.headers.get('Content-Length');
  // A compressed answer's length counts other bytes than those that arrive.
  const totalBytes =
    length !== null && !response.headers.get('Content-Encoding') ? Number(length) : undefined;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  try {
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      bytes += value.byteLength;
      options.onProgress?.({ bytes, totalBytes });
    }
  } catch (cause) {
    if (options.signal?.aborted) throw cancelled(url, cause);
    throw downloadError(url, `the connection broke off after ${bytes} bytes.`, cause);
  }
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}

/** The last part of an address's path. */
function fileName(url: string): string {
  return url.split(/[?#]/)[0]!.split('/').pop() || url;
}

/** A download that failed, for a person. */
export function downloadError(url: string, message: string, cause?: unknown): PreludeError {
  return new PreludeError('download', `${fileName(url)}: ${message}`, {
    where: url,
    remedy: 'Check the connection, then try again.',
    cause,
  });
}

function cancelled(url: string, cause: unknown): PreludeError {
  return new PreludeError('cancelled', `${fileName(url)}: the download was cancelled.`, {
    where: url,
    remedy: 'Start it again when you want it.',
    cause,
  });
}
