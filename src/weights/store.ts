import { type ByteSource, bytesSource } from './source.ts';

/** Where downloaded files are kept: folders of files, by name. Names may hold any characters. */
export interface FileStore {
  /** False where what is kept goes with the page. */
  readonly lasting: boolean;
  folders(): Promise<string[]>;
  files(folder: string): Promise<{ name: string; bytes: number }[]>;
  /** A file to read from, piece by piece; undefined where there is none. */
  source(folder: string, name: string): Promise<ByteSource | undefined>;
  /**
   * A file to write to, made where there is none. One writer at a time.
   * @throws PreludeError 'storage' when it is being written elsewhere, in another tab for example
   */
  writer(folder: string, name: string): Promise<FileWriter>;
  removeFile(folder: string, name: string): Promise<void>;
  removeFolder(folder: string): Promise<void>;
  /** Bytes that this site uses and may use, as far as the browser says. */
  room(): Promise<{ usedBytes?: number; quotaBytes?: number }>;
}

export interface FileWriter {
  /** @throws PreludeError 'storage' when the disk or the quota is full */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Cuts or lengthens the file, with zeros. */
  resize(bytes: number): Promise<void>;
  /** Until this has ended, what was written may be lost with the page. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Keeps files in memory: where the browser has no private file system, and in tests. */
export function memoryStore(): FileStore {
  const folders = new Map<string, Map<string, Uint8Array<ArrayBuffer>>>();
  return {
    lasting: false,
    folders: async () => [...folders.keys()],
    files: async (folder) =>
      [...(folders.get(folder) ?? [])].map(([name, { byteLength }]) => ({ name, bytes: byteLength })),
    async source(folder, name) {
      const bytes = folders.get(folder)?.get(name);
      return bytes && bytesSource(bytes, name);
    },
    async writer(folder, name) {
      const files = folders.get(folder) ?? new Map<string, Uint8Array<ArrayBuffer>>();
      folders.set(folder, files);
      let bytes = files.get(name) ?? new Uint8Array(0);
      files.set(name, bytes);
      const resize = async (size: number) => {
        if (size === bytes.byteLength) return;
        const next = new Uint8Array(size);
        next.set(bytes.subarray(0, size));
        bytes = next;
        files.set(name, bytes);
      };
      return {
        async write(offset, part) {
          if (offset + part.byteLength > bytes.byteLength) await resize(offset + part.byteLength);
          bytes.set(part, offset);
        },
        resize,
        flush: async () => undefined,
        close: async () => undefined,
      };
    },
    async removeFile(folder, name) {
      folders.get(folder)?.delete(name);
    },
    async removeFolder(folder) {
      folders.delete(folder);
    },
    room: async () => ({}),
  };
}

/** A small text of a store; undefined where there is none. */
export async function readText(store: FileStore, folder: string, name: string): Promise<string | undefined> {
  const source = await store.source(folder, name);
  return source && new TextDecoder().decode(await source.read(0, source.size));
}

/** Writes a small text in the place of the one before. */
export async function writeText(store: FileStore, folder: string, name: string, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const writer = await store.writer(folder, name);
  try {
    await writer.write(0, bytes);
    await writer.resize(bytes.byteLength);
    await writer.flush();
  } finally {
    await writer.close();
  }
}
