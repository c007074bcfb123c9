import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { PreludeError } from '../errors.ts';
import { ask, type HubAccess, nameOf, Passing, persistently, piecesOf } from './hub-request.ts';
import { type FileStore, type FileWriter, readText, writeText } from './store.ts';

/** Pieces a file is asked for in: an eighth of it, so that small files too go on where they stopped, within these bounds. */
const CHUNK_BYTES = { least: 2 ** 18, most: 8 * 2 ** 20 };
const chunkOf = (bytes: number) =>
  Math.min(CHUNK_BYTES.most, Math.max(CHUNK_BYTES.least, Math.ceil(bytes / 8)));
const HASH_BYTES = 2 ** 20;

/** A file on a server and what it must be. */
export interface RemoteFile {
  url: string;
  bytes: number;
  sha256?: string;
  /** SHA-1 of "blob", its size and its contents, as git names files. */
  gitSha1?: string;
}

/** Where a file goes. */
export interface Place {
  store: FileStore;
  folder: string;
  name: string;
}

export interface DownloadOptions extends HubAccess {
  chunkBytes?: number;
  /** Called with bytes that have arrived, without those of an earlier visit; negative where they must come again. */
  onBytes?(bytes: number): void;
  /** Called with bytes that have been checked against the hash. */
  onChecked?(bytes: number): void;
  /** Lets at most so many requests go at once, over all files. */
  turn: Turns;
}

const StateSchema = v.object({
  bytes: v.number(),
  chunkBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  done: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  complete: v.boolean(),
});
type State = v.InferOutput<typeof StateSchema>;

const stateName = (name: string) => `${name}.state`;
/** Whether a name in the store is that of a download's state. */
export const isStateName = (name: string) => name.endsWith('.state');

/** What has arrived of a file, in bytes. */
export async function arrivedBytes(place: Place, bytes: number): Promise<number> {
  const state = await readState(place, bytes);
  if (!state) return 0;
  if (state.complete) return bytes;
  return state.done.reduce((sum, chunk) => sum + sizeOf(chunk, state.chunkBytes, bytes), 0);
}

/**
 * Downloads a file by ranges, several at once, to a place in the store, and checks size and hash. What has arrived stays there: a
 * download that was cut, cancelled or whose page was closed goes on where it stopped. A server that gives no ranges sends it whole.
 * @throws PreludeError 'download' with what to do, 'storage', 'cancelled'
 */
export async function downloadTo(file: RemoteFile, place: Place, options: DownloadOptions): Promise<void> {
  const { store, folder, name } = place;
  const before = await readState(place, file.bytes);
  if (before?.complete) {
    options.onChecked?.(file.bytes);
    return;
  }
  const state: State = before ?? {
    bytes: file.bytes,
    chunkBytes: options.chunkBytes ?? chunkOf(file.bytes),
    done: [],
    complete: false,
  };
  const writer = await store.writer(folder, name);
  try {
    await writer.resize(file.bytes);
    await fetchChunks(file, state, writer, options, async () => {
      await writer.flush();
      await writeText(store, folder, stateName(name), JSON.stringify(state));
    });
  } finally {
    await writer.close();
  }
  await check(file, place, options);
  state.complete = true;
  await writeText(store, folder, stateName(name), JSON.stringify(state));
}

async function fetchChunks(
  file: RemoteFile,
  state: State,
  writer: FileWriter,
  options: DownloadOptions,
  keep: () => Promise<void>,
): Promise<void> {
  const { chunkBytes } = state;
  const count = Math.ceil(file.bytes / chunkBytes);
  const done = new Set(state.done);
  // One failure ends the others' requests too.
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let keeping = Promise.resolve();
  const one = async (chunk: number) => {
    const start = chunk * chunkBytes;
    const whole = await options.turn(() =>
      fetchRange(file, start, start + sizeOf(chunk, chunkBytes, file.bytes), writer, { ...options, signal }),
    );
    for (let i = whole ? 0 : chunk; i < (whole ? count : chunk + 1); i++) done.add(i);
    state.done = [...done].sort((a, b) => a - b);
    keeping = keeping.then(keep);
    await keeping;
  };
  const rest = Array.from({ length: count }, (_, chunk) => chunk).filter((chunk) => !done.has(chunk));
  // The first alone: it tells whether the server gives ranges.
  if (rest.length > 0) await one(rest.shift()!);
  try {
    await Promise.all(rest.filter((chunk) => !done.has(chunk)).map(one));
  } catch (error) {
    stop.abort();
    throw error;
  } finally {
    await keeping.catch(() => undefined);
  }
}

/** Fetches the bytes from `start` to `end` (not included). True when the server sent the whole file in their place. */
async function fetchRange(
  file: RemoteFile,
  start: number,
  end: number,
  writer: FileWriter,
  options: DownloadOptions,
): Promise<boolean> {
  let at = start;
  return persistently(file.url, options, async ({ progressed }) => {
    const response = await ask(file.url, options, { Range: `bytes=${at}-${end - 1}` });
    const whole = response.status !== 206;
    const total = /\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '')?.[1];
    if (!whole && total !== undefined && Number(total) !== file.bytes) {
      await response.body?.cancel().catch(() => undefined);
      throw wrong(file, `the server has ${total} bytes of it, the hub lists ${file.bytes}.`);
    }
    if (whole) at = 0;
    const last = whole ? file.bytes : end;
    for await (const piece of piecesOf(response, options)) {
      if (at + piece.byteLength > last)
        throw wrong(file, `the server sends more than the ${file.bytes} bytes that the hub lists.`);
      await writer.write(at, piece);
      at += piece.byteLength;
      options.onBytes?.(piece.byteLength);
      progressed();
    }
    if (at < last) {
      const got = at;
      if (whole) {
        options.onBytes?.(-at);
        at = start;
      }
      throw new Passing(`the connection broke off after ${got} of ${last} bytes.`);
    }
    return whole;
  });
}

/** Reads the file once more, piece by piece, and compares its hash. What is wrong is thrown away. */
async function check(file: RemoteFile, place: Place, options: DownloadOptions): Promise<void> {
  const source = await place.store.source(place.folder, place.name);
  if (source?.size !== file.bytes)
    throw wrong(file, `${source?.size ?? 0} bytes of ${file.bytes} were kept.`);
  const expected = file.sha256 ?? file.gitSha1;
  if (expected === undefined) {
    options.onChecked?.(file.bytes);
    return;
  }
  const hash = file.sha256 === undefined ? sha1.create() : sha256.create();
  if (file.sha256 === undefined) hash.update(new TextEncoder().encode(`blob ${file.bytes}\0`));
  for (let at = 0; at < source.size; at += HASH_BYTES) {
    if (options.signal?.aborted)
      throw new PreludeError('cancelled', `${nameOf(file.url)}: checking was cancelled.`, {
        where: file.url,
        remedy: 'Start it again when you want it: it goes on where it stopped.',
      });
    const piece = await source.read(at, Math.min(HASH_BYTES, source.size - at));
    hash.update(piece);
    options.onChecked?.(piece.byteLength);
  }
  if (bytesToHex(hash.digest()) === expected) return;
  await place.store.removeFile(place.folder, stateName(place.name));
  await place.store.removeFile(place.folder, place.name);
  throw wrong(
    file,
    `its contents are not those the hub names (${file.sha256 === undefined ? 'SHA-1' : 'SHA-256'} differs).`,
  );
}

function wrong(file: RemoteFile, message: string): PreludeError {
  return new PreludeError('download', `${nameOf(file.url)}: ${message}`, {
    where: file.url,
    remedy:
      'Start it again. If it stays, the server or a mirror between gives another file: use another address.',
  });
}

function sizeOf(chunk: number, chunkBytes: number, bytes: number): number {
  return Math.max(0, Math.min(chunkBytes, bytes - chunk * chunkBytes));
}

async function readState({ store, folder, name }: Place, bytes: number): Promise<State | undefined> {
  const text = await readText(store, folder, stateName(name));
  if (!text) return undefined;
  try {
    const state = v.parse(StateSchema, JSON.parse(text));
    const there = await store.source(folder, name);
    // Another size is another file.
    return state.bytes === bytes && there?.size === bytes ? state : undefined;
  } catch {
    // Cut off with the page while it was written: the file begins anew.
    return undefined;
  }
}

/** Runs work when it is its turn. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Turns for at most `count` at once, first come, first served. */
export function turns(count: number): Turns {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
