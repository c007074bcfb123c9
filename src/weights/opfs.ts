import { PreludeError } from '../errors.ts';
import { blobSource } from './source.ts';
import type { FileStore } from './store.ts';

const ROOT = 'prelude-models';

/** TypeScript's library of the page lacks what only workers have. */
interface SyncAccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void | Promise<void>;
  flush(): void | Promise<void>;
  close(): void | Promise<void>;
}
interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle?(): Promise<SyncAccessHandle>;
}

/**
 * Keeps files in the browser's origin private file system, written in place and read as files, so that no whole file is in
 * memory. Works in a dedicated worker; undefined where the browser has none or refuses it (private windows of some).
 */
export async function opfsStore(): Promise<FileStore | undefined> {
  const root = await navigator.storage
    ?.getDirectory?.()
    .then((directory) => directory.getDirectoryHandle(ROOT, { create: true }))
    .catch(() => undefined);
  if (!root) return undefined;
  const probe: SyncFileHandle | undefined = await root
    .getFileHandle('.probe', { create: true })
    .catch(() => undefined);
  if (!probe?.createSyncAccessHandle) return undefined;

  /** A name of the file system: no separators, and never "." or "..". */
  const safe = (name: string) => `_${encodeURIComponent(name)}`;
  const plain = (name: string) => decodeURIComponent(name.slice(1));
  const open = (folder: string) => root.getDirectoryHandle(safe(folder)).catch(() => undefined);
  return {
    lasting: true,
    async folders() {
      const names: string[] = [];
      for await (const [name, handle] of root.entries())
        if (handle.kind === 'directory' && name.startsWith('_')) names.push(plain(name));
      return names;
    },
    async files(folder) {
      const found: { name: string; bytes: number }[] = [];
      for await (const [name, handle] of (await open(folder))?.entries() ?? [])
        if (handle.kind === 'file')
          found.push({ name: plain(name), bytes: (await (handle as FileSystemFileHandle).getFile()).size });
      return found;
    },
    async source(folder, name) {
      const handle = await (await open(folder))?.getFileHandle(safe(name)).catch(() => undefined);
      return handle && blobSource(await handle.getFile(), name);
    },
    async writer(folder, name) {
      const handle: SyncFileHandle = await root
        .getDirectoryHandle(safe(folder), { create: true })
        .then((directory) => directory.getFileHandle(safe(name), { create: true }))
        .catch((cause: unknown) => {
          throw full(name, cause);
        });
      const access = await handle.createSyncAccessHandle!().catch((cause: unknown) => {
        throw new PreludeError('storage', `${name}: this file is being written elsewhere.`, {
          where: name,
          remedy: 'Another tab of Prelude downloads this model: close it, or wait until it is done.',
          cause,
        });
      });
      const guarded = async (work: () => unknown) => {
        try {
          return await work();
        } catch (cause) {
          throw full(name, cause);
        }
      };
      return {
        write: async (offset, bytes) => {
          const written = await guarded(() => access.write(bytes, { at: offset }));
          if (written !== bytes.byteLength) throw full(name);
        },
        resize: async (bytes) => void (await guarded(() => access.truncate(bytes))),
        flush: async () => void (await guarded(() => access.flush())),
        close: async () => void (await access.close()),
      };
    },
    async removeFile(folder, name) {
      await (await open(folder))?.removeEntry(safe(name)).catch(() => undefined);
    },
    async removeFolder(folder) {
      await root.removeEntry(safe(folder), { recursive: true }).catch((cause: unknown) => {
        if (cause instanceof DOMException && cause.name === 'NotFoundError') return;
        throw new PreludeError('storage', `${folder}: it could not be deleted.`, {
          where: folder,
          remedy: 'Close other tabs of Prelude, then try again.',
          cause,
        });
      });
    },
    async room() {
      const { usage, quota } = await navigator.storage.estimate().catch(() => ({}) as StorageEstimate);
      return { usedBytes: usage, quotaBytes: quota };
    },
  };
}

function full(name: string, cause?: unknown): PreludeError {
  return new PreludeError('storage', `${name}: the browser has no room left to keep it.`, {
    where: name,
    remedy: 'Delete a kept model, or free space on the disk, then try again: what has arrived is kept.',
    cause,
  });
}
