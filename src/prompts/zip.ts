import { Inflate, zipSync } from 'fflate';
import type { NamedBytes } from './types.ts';
import { badPrompt, maxPromptBytes } from './values.ts';

/** Zips files; the same files give the same bytes on every machine and day. */
export function writeZip(files: NamedBytes[]): Uint8Array<ArrayBuffer> {
  // fflate writes the local time, as DOS does: the date is made from local parts, so no time zone shows.
  const mtime = new Date(1980, 0, 1);
  return zipSync(Object.fromEntries(files.map((f) => [f.name, f.bytes])), { level: 6, mtime });
}

export interface ZipEntry {
  /** Path inside the zip, with `/`. */
  path: string;
  /** Declared size of the unpacked file in bytes; `read` holds the file to it. */
  size: number;
  /** Unpacks and checks size and CRC-32. @throws PreludeError `bad-prompt` */
  read(): Uint8Array<ArrayBuffer>;
}

const damaged = 'The zip is damaged or cut off: download it again.';

/**
 * Lists a zip's files by its central directory. Folders, macOS's shadow files and paths that lead out of the zip are left out.
 *
 * Reading is our own and not fflate's `unzipSync`, which checks no CRC (a flipped bit would become another prompt), and
 * unpacks a lying entry to its end before anybody can say stop; the inflating itself is fflate's.
 * @throws PreludeError `bad-prompt`
 */
export function readZip(file: string, bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end < 0) throw badPrompt(file, 'The zip has no table of contents at its end.', damaged);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff)
    throw badPrompt(
      file,
      'The zip is in the zip64 form for very large archives.',
      'Pack the adapter folder alone, without the model.',
    );

  const entries: ZipEntry[] = [];
  const paths = new Set<string>();
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50)
      throw badPrompt(file, `The zip's table of contents breaks off after ${i} of ${count} files.`, damaged);
    const nameLength = view.getUint16(at + 28, true);
    const next = at + 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw badPrompt(file, "The zip's table of contents overruns its end.", damaged);
    const path = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const record: ZipRecord = {
      path,
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      start: view.getUint32(at + 42, true),
    };
    at = next;
    if (!isPlainPath(path)) continue;
    if (paths.has(path))
      throw badPrompt(file, `The zip holds "${path}" twice.`, 'Pack the adapter folder again.');
    paths.add(path);
    entries.push({ path, size: record.size, read: () => unpack(file, bytes, record) });
  }
  return entries;
}

interface ZipRecord {
  path: string;
  encrypted: boolean;
  method: number;
  crc: number;
  packed: number;
  size: number;
  start: number;
}

/** Start of the end-of-central-directory record (22 bytes and a comment of at most 65,535), or -1. */
function findEnd(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--)
    if (view.getUint32(at, true) === 0x06054b50) return at;
  return -1;
}

function isPlainPath(path: string): boolean {
  if (path === '' || path.endsWith('/') || path.startsWith('/') || path.startsWith('__MACOSX/')) return false;
  return (
    !/[\\:\0]/.test(path) && !path.split('/').some((part) => part === '..' || part === '.' || part === '')
  );
}

function unpack(file: string, bytes: Uint8Array, entry: ZipRecord): Uint8Array<ArrayBuffer> {
  const where = `${file}: ${entry.path}`;
  if (entry.encrypted)
    throw badPrompt(where, 'The file in the zip is encrypted.', 'Pack it without a password.');
  if (entry.method !== 0 && entry.method !== 8)
    throw badPrompt(
      where,
      `The zip uses compression method ${entry.method}.`,
      'Pack it as an ordinary zip (deflate).',
    );
  if (entry.size > maxPromptBytes)
    throw badPrompt(
      where,
      `The file claims to unpack to ${entry.size} bytes; prompts end at ${maxPromptBytes}.`,
      'Pick the adapter, not the model.',
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const broken = () => badPrompt(where, 'The file in the zip is cut off or damaged.', damaged);
  if (entry.start + 30 > bytes.length || view.getUint32(entry.start, true) !== 0x04034b50) throw broken();
  const from =
    entry.start + 30 + view.getUint16(entry.start + 26, true) + view.getUint16(entry.start + 28, true);
  if (from + entry.packed > bytes.length) throw broken();
  const packed = bytes.subarray(from, from + entry.packed);
  const out = entry.method === 0 ? packed.slice() : inflate(packed, entry.size);
  if (!out || out.length !== entry.size || crc32(out) !== entry.crc) throw broken();
  return out;
}

/** Inflates to exactly `size` bytes; undefined when the stream is broken or gives more or fewer. */
function inflate(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  const out = new Uint8Array(size);
  let filled = 0;
  let ended = false;
  try {
    const stream = new Inflate((chunk, final) => {
      if (filled + chunk.length > size) throw new RangeError('more than declared');
      out.set(chunk, filled);
      filled += chunk.length;
      ended = final;
    });
    // Deflate grows at most 1032-fold: small pieces bound what a zip bomb unpacks before it is stopped.
    const piece = 4096;
    for (let i = 0; i < packed.length; i += piece)
      stream.push(packed.subarray(i, i + piece), i + piece >= packed.length);
  } catch {
    return undefined;
  }
  return ended && filled === size ? out : undefined;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = crcTable[(c ^ byte) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
