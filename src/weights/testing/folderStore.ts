import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileStore } from '../store.ts';

/** Keeps files in a folder of the disk, as the browser's file system would. */
export function folderStore(root: string, room: { usedBytes?: number; quotaBytes?: number } = {}): FileStore {
  const of = (...names: string[]) => join(root, ...names.map((name) => `_${encodeURIComponent(name)}`));
  const list = (path: string) => readdir(path).catch(() => [] as string[]);
  const plain = (name: string) => decodeURIComponent(name.slice(1));
  return {
    lasting: true,
    folders: async () => (await list(root)).map(plain),
    files: async (folder) =>
      Promise.all(
        (await list(of(folder))).map(async (name) => ({
          name: plain(name),
          bytes: (await stat(join(of(folder), name))).size,
        })),
      ),
    async source(folder, name) {
      const path = of(folder, name);
      const found = await stat(path).catch(() => undefined);
      return (
        found && {
          name,
          size: found.size,
          async read(offset, length) {
            const file = await open(path);
            const bytes = new Uint8Array(length);
            await file.read(bytes, 0, length, offset);
            await file.close();
            return bytes;
          },
        }
      );
    },
    async writer(folder, name) {
      await mkdir(of(folder), { recursive: true });
      const path = of(folder, name);
      const file = await open(path, 'r+').catch(() => open(path, 'w+'));
      return {
        write: async (offset, bytes) => void (await file.write(bytes, 0, bytes.byteLength, offset)),
        resize: (bytes) => file.truncate(bytes),
        flush: () => file.sync(),
        close: () => file.close(),
      };
    },
    removeFile: (folder, name) => rm(of(folder, name), { force: true }),
    removeFolder: (folder) => rm(of(folder), { recursive: true, force: true }),
    room: async () => room,
  };
}
