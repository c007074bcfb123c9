import * as v from 'valibot';
import { PreludeError } from '../errors.ts';
import { arrivedBytes, type DownloadOptions, downloadTo, isStateName, turns } from './download.ts';
import { chooseHubFiles, type HubListing, hubFileUrl, listHubFiles } from './hub.ts';
import type { HubAddress } from './hub-address.ts';
import type { HubAccess } from './hub-request.ts';
import type { ByteSource } from './source.ts';
import { type FileStore, readText, writeText } from './store.ts';

const RECORD = 'record';
/** Requests at once, over all files of a model. */
const PARALLEL = 4;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const RecordSchema = v.object({
  format: v.literal('prelude-hub/1'),
  address: v.object({
    baseUrl: v.string(),
    id: v.string(),
    revision: v.string(),
    file: v.optional(v.string()),
  }),
  commit: v.string(),
  files: v.array(
    v.object({
      path: v.string(),
      bytes: count,
      sha256: v.optional(v.string()),
      gitSha1: v.optional(v.string()),
    }),
  ),
  complete: v.boolean(),
  /** ISO 8601. */
  usedAt: v.string(),
});
type Kept = v.InferOutput<typeof RecordSchema>;

/** A model of a hub that is kept in this browser, whole or in part. */
export interface CachedModel {
  /** Names it in the cache. */
  key: string;
  address: HubAddress;
  commit: string;
  /** What it takes here now, and what it has when it is whole. */
  bytes: number;
  totalBytes: number;
  complete: boolean;
  /** ISO 8601. */
  usedAt: string;
}

/** How far a download is: bytes that have arrived, or that were compared with their hash. */
export interface HubProgress {
  phase: 'download' | 'check';
  bytes: number;
  totalBytes: number;
}

export interface HubOptions extends HubAccess {
  onProgress?(progress: HubProgress): void;
  chunkBytes?: number;
  now?(): Date;
}

/** A model's files, to read from. */
export interface HubModelFiles {
  key: string;
  address: HubAddress;
  commit: string;
  /** Named as in the model, without folders. */
  sources: ByteSource[];
}

/** Models of hubs, kept in a store. */
export interface HubCache {
  /** False where kept models go with the page. */
  readonly lasting: boolean;
  /**
   * A model's files: from the cache where it is whole there, without asking the hub, so that a frozen model stays what it was;
   * else downloaded, going on where an earlier download stopped.
   * @throws PreludeError 'download' with what to do, 'storage', 'cancelled'
   */
  open(address: HubAddress, options?: HubOptions): Promise<HubModelFiles>;
  /** A kept model's files where it is whole, without asking the hub or counting as a use. */
  kept(address: HubAddress): Promise<ByteSource[] | undefined>;
  list(): Promise<CachedModel[]>;
  /** Deletes a kept model. */
  delete(key: string): Promise<void>;
  room: FileStore['room'];
}

/** @param list lists a model's files */
export function createHubCache(store: FileStore, list: typeof listHubFiles = listHubFiles): HubCache {
  const going = new Set<string>();

  const readRecord = async (key: string): Promise<Kept | undefined> => {
    try {
      const text = await readText(store, key, RECORD);
      return text ? v.parse(RecordSchema, JSON.parse(text)) : undefined;
    } catch {
      return undefined;
    }
  };
  const writeRecord = (key: string, record: Kept) => writeText(store, key, RECORD, JSON.stringify(record));

  /** What is kept of a model, or a new record of it. */
  const begin = async (key: string, address: HubAddress, options: HubOptions): Promise<Kept> => {
    const kept = await readRecord(key);
    if (kept) return kept;
    const listing: HubListing = await list(address, options);
    const { files, choices } = chooseHubFiles(listing);
    if (files.length === 0)
      throw new PreludeError('download', `${address.id}: it has ${choices.length} GGUF files.`, {
        where: address.id,
        remedy: `Choose one: ${choices.map(({ path, bytes }) => `${path} (${inMegabytes(bytes)})`).join(', ')}.`,
      });
    return {
      format: 'prelude-hub/1',
      address,
      commit: listing.commit,
      files,
      complete: false,
      usedAt: (options.now?.() ?? new Date()).toISOString(),
    };
  };

  const fetchFiles = async (key: string, record: Kept, options: HubOptions): Promise<void> => {
    const totalBytes = record.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const place = (path: string) => ({ store, folder: key, name: path });
    const arrived = await Promise.all(
      record.files.map(({ path, bytes }) => arrivedBytes(place(path), bytes)),
    );
    // A file that was begun has its full length already.
    const needed = record.files.reduce((sum, { bytes }, i) => sum + (arrived[i] === 0 ? bytes : 0), 0);
    await checkRoom(store, needed, record.address.id);
    await writeRecord(key, record);
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const progress = { download: arrived.reduce((sum, bytes) => sum + bytes, 0), check: 0 };
    const report = (phase: HubProgress['phase']) => (bytes: number) => {
      progress[phase] += bytes;
      // Checking is told only when all has arrived: until then the download is what one waits for.
      if (phase === 'download' || progress.download >= totalBytes)
        options.onProgress?.({ phase, bytes: Math.min(progress[phase], totalBytes), totalBytes });
    };
    // So the first news is what an earlier visit brought.
    report('download')(0);
    const each: DownloadOptions = {
      ...options,
      signal,
      turn: turns(PARALLEL),
      onBytes: report('download'),
      onChecked: report('check'),
    };
    const all = record.files.map(({ path, ...file }) =>
      downloadTo({ url: hubFileUrl(record, path), ...file }, place(path), each),
    );
    try {
      await Promise.all(all);
    } catch (error) {
      stop.abort();
      throw error;
    } finally {
      // Until the last has let go of its file.
      await Promise.allSettled(all);
    }
  };

  const sourcesOf = async (key: string, { files }: Kept): Promise<ByteSource[]> =>
    Promise.all(
      files.map(async ({ path }) => {
        const source = await store.source(key, path);
        if (!source) throw gone(path);
        return { ...source, name: path.split('/').at(-1)! };
      }),
    );

  return {
    lasting: store.lasting,
    async open(address, options = {}) {
      const key = keyOf(address);
      if (going.has(key))
        throw new PreludeError('download', `${address.id}: it is being downloaded already.`, {
          where: address.id,
          remedy: 'Wait until it is done, or cancel it.',
        });
      going.add(key);
      try {
        const record = await begin(key, address, options);
        if (!record.complete || !(await isWhole(store, key, record))) await fetchFiles(key, record, options);
        const usedAt = (options.now?.() ?? new Date()).toISOString();
        await writeRecord(key, { ...record, complete: true, usedAt });
        return { key, address, commit: record.commit, sources: await sourcesOf(key, record) };
      } finally {
        going.delete(key);
      }
    },
    async kept(address) {
      const key = keyOf(address);
      const record = await readRecord(key);
      if (!record?.complete || going.has(key) || !(await isWhole(store, key, record))) return undefined;
      return sourcesOf(key, record);
    },
    async list() {
      const models: CachedModel[] = [];
      for (const key of await store.folders()) {
        const record = await readRecord(key);
        const files = await store.files(key);
        if (!record) {
          if (!going.has(key)) await store.removeFolder(key);
          continue;
        }
        const { address, commit, complete, usedAt } = record;
        const isKept = (name: string) => name !== RECORD && !isStateName(name);
        const arrived = await Promise.all(
          record.files.map(({ path, bytes }) => arrivedBytes({ store, folder: key, name: path }, bytes)),
        );
        models.push({
          key,
          address,
          commit,
          complete,
          usedAt,
          bytes: complete
            ? files.filter(({ name }) => isKept(name)).reduce((sum, { bytes }) => sum + bytes, 0)
            : arrived.reduce((sum, bytes) => sum + bytes, 0),
          totalBytes: record.files.reduce((sum, { bytes }) => sum + bytes, 0),
        });
      }
      return models.sort((a, b) => (a.usedAt < b.usedAt ? 1 : -1));
    },
    async delete(key) {
      if (going.has(key))
        throw new PreludeError('storage', `${key}: it is being downloaded.`, {
          where: key,
          remedy: 'Cancel the download first.',
        });
      await store.removeFolder(key);
    },
    room: () => store.room(),
  };
}

/** Another server, revision or file is another model. */
export function keyOf({ baseUrl, id, revision, file }: HubAddress): string {
  return `${baseUrl.replace(/^https?:\/\//, '')}/${id}@${revision}${file ? `#${file}` : ''}`;
}

async function isWhole(store: FileStore, key: string, { files }: Kept): Promise<boolean> {
  const sizes = new Map((await store.files(key)).map(({ name, bytes }) => [name, bytes]));
  return files.every(({ path, bytes }) => sizes.get(path) === bytes);
}

async function checkRoom(store: FileStore, needed: number, id: string): Promise<void> {
  const { usedBytes, quotaBytes } = await store.room();
  if (usedBytes === undefined || quotaBytes === undefined || needed <= quotaBytes - usedBytes) return;
  throw new PreludeError(
    'storage',
    `${id}: it needs ${inMegabytes(needed)}, and the browser grants ${inMegabytes(Math.max(0, quotaBytes - usedBytes))} more.`,
    {
      where: id,
      remedy: 'Delete a kept model, or free space on the disk: a browser grants a share of what is free.',
    },
  );
}

function gone(path: string): PreludeError {
  return new PreludeError('storage', `${path}: the kept file is gone.`, {
    where: path,
    remedy: 'Load the model again: the browser cleared it away, so it is downloaded anew.',
  });
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
