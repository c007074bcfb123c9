import { badWeights } from './problem.ts';
import type { ByteSource } from './source.ts';

/** A file inside a zip archive, stored without compression. */
export interface ZipEntry {
  name: string;
  /** Of its data, from the start of the archive, in bytes. */
  offset: number;
  size: number;
}

/** The longest end record: 22 bytes and a comment of 65,535. */
const MAX_END = 22 + 0xffff;
/** Tables of real checkpoints, with thousands of storages, stay below 1 MB. Each file costs a read, on a server a request. */
const MAX_DIRECTORY_BYTES = 4 * 2 ** 20;
const MAX_FILES = 2 ** 14;
const HOLDS_64 = 0xffffffff;

/**
 * The table of contents of a zip archive whose files are stored (method 0), as PyTorch writes them; zip64 where the
 * archive is large. Compressed or encrypted files, files that reach outside of the archive or overlap are refused.
 * @throws PreludeError 'bad-weights' naming the file inside and the numbers that do not fit
 * Source: PKWARE APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16 and 4.5.3.
 */
export async function readZip(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const { start, size, count } = await findDirectory(source);
  if (start + size > source.size || size > MAX_DIRECTORY_BYTES || count * 46 > size)
    throw badWeights(
      source.name,
      `its table of contents claims ${count} files in ${size} bytes at ${start}, which does not fit a file of ${source.size} bytes.`,
    );
  if (count > MAX_FILES)
    throw badWeights(source.name, `it holds ${count} files; no real checkpoint has more than ${MAX_FILES}.`);
  const bytes = await source.read(start, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const headers: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50)
      throw badWeights(source.name, `its table of contents is broken at file ${i + 1} of ${count}.`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) =>
      view.getUint16(at + o, true),
    ) as [number, number, number];
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > size) throw badWeights(source.name, `its table of contents ends inside of file ${i + 1}.`);
    const name = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const where = `${source.name}, file "${name}" inside`;
    if (names.has(name)) throw badWeights(where, 'it is there twice.');
    names.add(name);
    if (view.getUint16(at + 8, true) & 1) throw badWeights(where, 'it is encrypted.');
    if (view.getUint16(at + 10, true) !== 0)
      throw badWeights(
        where,
        'it is compressed; PyTorch stores its files as they are.',
        'Unpack the archive, or save the checkpoint again with torch.save.',
      );
    const extra = at + 46 + nameLength;
    const [plain, packed, offset] = largeNumbers(
      view,
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      extra,
      extra + extraLength,
    );
    if (plain !== packed) throw badWeights(where, `it has ${packed} bytes stored, ${plain} unpacked.`);
    headers.push({ name, offset, size: plain });
    at = end;
  }
  return locate(source, headers, start);
}

/** Where the central directory lies. */
async function findDirectory(source: ByteSource): Promise<{ start: number; size: number; count: number }> {
  const tailLength = Math.min(source.size, MAX_END + 20);
  const tail = await source.read(source.size - tailLength, tailLength);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let end = tailLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0)
    throw badWeights(source.name, 'it has no zip table of contents at its end: it was cut off or is no zip.');
  const short = {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    start: view.getUint32(end + 16, true),
  };
  if (short.count !== 0xffff && short.size !== HOLDS_64 && short.start !== HOLDS_64) return short;
  if (end < 20 || view.getUint32(end - 20, true) !== 0x07064b50) return short;
  const at = natural(source, view.getBigUint64(end - 12, true));
  if (at + 56 > source.size)
    throw badWeights(source.name, `its zip64 record is at byte ${at}, beyond its end.`);
  const bytes = await source.read(at, 56);
  const record = new DataView(bytes.buffer, bytes.byteOffset, 56);
  if (record.getUint32(0, true) !== 0x06064b50) throw badWeights(source.name, 'its zip64 record is broken.');
  const [count, size, start] = [32, 40, 48].map((o) => natural(source, record.getBigUint64(o, true)));
  return { count: count!, size: size!, start: start! };
}

function natural(source: ByteSource, value: bigint): number {
  if (value > BigInt(source.size))
    throw badWeights(source.name, `its table of contents says ${value}, the file has ${source.size} bytes.`);
  return Number(value);
}

/** Numbers of 32 bits that say "see the zip64 field" are taken from it, in its order. */
function largeNumbers(
  view: DataView,
  numbers: [plain: number, packed: number, offset: number],
  from: number,
  to: number,
): [plain: number, packed: number, offset: number] {
  let at = from;
  while (at + 4 <= to && view.getUint16(at, true) !== 1) at += 4 + view.getUint16(at + 2, true);
  at += 4;
  return numbers.map((number) => {
    if (number !== HOLDS_64 || at + 8 > to) return number;
    at += 8;
    return Number(view.getBigUint64(at - 8, true));
  }) as [number, number, number];
}

/** Each file's data lie behind a header of its own, whose length only that header says. */
async function locate(
  source: ByteSource,
  headers: readonly ZipEntry[],
  directory: number,
): Promise<Map<string, ZipEntry>> {
  const entries = new Map<string, ZipEntry>();
  let last = { end: 0, name: 'the beginning' };
  for (const { name, offset: header, size } of [...headers].sort((a, b) => a.offset - b.offset)) {
    const where = `${source.name}, file "${name}" inside`;
    if (header + 30 > directory)
      throw badWeights(where, `it begins at byte ${header}, behind all files (${directory}).`);
    const bytes = await source.read(header, 30);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 30);
    if (view.getUint32(0, true) !== 0x04034b50) throw badWeights(where, `no file begins at byte ${header}.`);
    const offset = header + 30 + view.getUint16(26, true) + view.getUint16(28, true);
    if (header < last.end) throw badWeights(where, `it overlaps "${last.name}".`);
    if (offset + size > directory)
      throw badWeights(where, `its ${size} bytes from ${offset} reach beyond the files' end, ${directory}.`);
    last = { end: offset + size, name };
    entries.set(name, { name, offset, size });
  }
  return entries;
}
