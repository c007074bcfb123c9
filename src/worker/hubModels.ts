import { PreludeError } from '../errors.ts';
import {
  type ByteSource,
  chooseHubFiles,
  createHubCache,
  type FileStore,
  HUB_URL,
  type HubAddress,
  type HubCache,
  type HubFile,
  keyOf,
  listHubFiles,
  memoryStore,
  opfsStore,
  parseHubAddress,
  peekHubFiles,
} from '../weights/index.ts';
import { type Speedometer, speedometer } from './progress.ts';
import type { CachedModels, HubReport, HubSource, OnProgress } from './protocol.ts';

/** Models of hubs: looked up, downloaded, kept, deleted. */
export interface HubDesk {
  /** @throws PreludeError 'download', 'cancelled' */
  lookUp(source: HubSource): Promise<HubReport>;
  /**
   * A model's files to look into, without downloading them: kept ones where it is whole here.
   * @throws PreludeError 'download', also where one of several files must be chosen first; 'cancelled'
   */
  peek(source: HubSource): Promise<ByteSource[]>;
  /**
   * A model's files, downloaded where they are not kept already, with progress in bytes.
   * @throws PreludeError 'download', 'storage', 'cancelled'
   */
  open(
    source: HubSource,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<{ title: string; key: string; sources: ByteSource[] }>;
  /** Says which of them is loaded; none where the model is from elsewhere. */
  use(key: string | undefined): void;
  list(): Promise<CachedModels>;
  /** @throws PreludeError 'storage' for the model that is in use */
  delete(id: string): Promise<void>;
}

/** @param store where files are kept */
export function createHubDesk(
  store: () => Promise<FileStore> = async () => (await opfsStore()) ?? memoryStore(),
): HubDesk {
  let made: Promise<HubCache> | undefined;
  const cache = () => {
    made ??= store().then((files) => createHubCache(files));
    return made;
  };
  /** Its weights are read again when a lost device comes back. */
  let inUse: string | undefined;

  return {
    async lookUp(source) {
      const address = addressOf(source);
      const listing = await listHubFiles(address, { token: tokenOf(source, address) });
      const { files, choices } = chooseHubFiles(listing);
      const plain = ({ path, bytes }: HubFile) => ({ path, bytes });
      return {
        key: keyOf(address),
        id: address.id,
        revision: address.revision,
        commit: listing.commit,
        files: files.map(plain),
        downloadBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        choices: choices.map(plain),
      };
    },
    async peek(source) {
      const address = addressOf(source);
      const kept = await (await cache()).kept(address);
      if (kept) return kept;
      const access = { token: tokenOf(source, address) };
      const listing = await listHubFiles(address, access);
      return peekHubFiles(listing, chooseHubFiles(listing).files, access);
    },
    async open(source, onProgress, signal) {
      const address = addressOf(source);
      const title = titleOf(address);
      const speedometers: { download?: Speedometer; check?: Speedometer } = {};
      const words = { download: `Downloading ${title}`, check: `Checking ${title}` };
      const { key, sources } = await (await cache()).open(address, {
        token: tokenOf(source, address),
        signal,
        onProgress({ phase, bytes, totalBytes }) {
          // What an earlier visit brought says nothing of the speed now.
          speedometers[phase] ??= speedometer(words[phase], 'bytes', onProgress, undefined, bytes);
          speedometers[phase](bytes, totalBytes);
        },
      });
      return { title, key, sources };
    },
    use(key) {
      inUse = key;
    },
    async list() {
      const kept = await cache();
      const [models, room] = await Promise.all([kept.list(), kept.room()]);
      return {
        models: models.map(({ key, address, ...model }) => ({
          id: key,
          title: titleOf(address),
          source: {
            kind: 'hub' as const,
            id: address.id,
            revision: address.revision,
            ...(address.file && { file: address.file }),
            ...(address.baseUrl !== HUB_URL && { baseUrl: address.baseUrl }),
          },
          ...model,
          inUse: key === inUse,
        })),
        ...room,
        lasting: kept.lasting,
      };
    },
    async delete(id) {
      if (id === inUse)
        throw new PreludeError('storage', `${id}: this model is loaded.`, {
          where: id,
          remedy: 'Load another model first, then delete this one.',
        });
      await (await cache()).delete(id);
    },
  };
}

function addressOf({ id, revision, file, baseUrl }: HubSource): HubAddress {
  return parseHubAddress(id, {
    ...(baseUrl && { baseUrl }),
    ...(revision && { revision }),
    ...(file && { file }),
  });
}

/**
 * As pasted, without what came along; none where the field is empty, and none for an address pasted in full of another server than
 * the hub that the token is for.
 */
function tokenOf({ token, baseUrl }: HubSource, address: HubAddress): string | undefined {
  const meant = new URL(baseUrl || HUB_URL).origin;
  return new URL(address.baseUrl).origin === meant ? token?.trim() || undefined : undefined;
}

function titleOf({ id, revision, file }: HubAddress): string {
  const name = file ? `${id}, ${file.split('/').at(-1)}` : id;
  return revision === 'main' ? name : `${name} (${revision.slice(0, 12)})`;
}
