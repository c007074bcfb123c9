import { badWeights } from './problem.ts';
import type { ByteSource } from './source.ts';
import { byteLengthOf, type DType, isBlockType, type TensorInfo, UNIT, type WeightFile } from './types.ts';

/** The reference implementation refuses headers above 100 MB; real files stay below 3, and this one in well under a second. */
const MAX_HEADER_BYTES = 8 * 2 ** 20;
/** Object, entry, list. */
const MAX_DEPTH = 3;
const MAX_NAME_BYTES = 4096;

/**
 * Opens a safetensors file: 8 bytes little-endian length n, n bytes of JSON, then the tensors. As strict as the
 * reference implementation (huggingface/safetensors): tensors lie side by side in the order of their offsets, without
 * overlap or hole, and fill the file to its last byte.
 * @throws PreludeError 'bad-weights' naming the file, the tensor and the numbers that do not fit.
 */
export async function openSafetensors(source: ByteSource): Promise<WeightFile> {
  const { name: file, size } = source;
  if (size < 8) throw badWeights(file, `a safetensors file has at least 8 bytes, this one has ${size}.`);
  const prefix = await source.read(0, 8);
  const claimed = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (claimed > BigInt(size - 8))
    throw badWeights(file, `its header claims ${claimed} bytes, but only ${size - 8} follow in the file.`);
  if (claimed > BigInt(MAX_HEADER_BYTES))
    throw badWeights(
      file,
      `its header claims ${claimed} bytes; no real model needs more than ${MAX_HEADER_BYTES}.`,
    );
  const length = Number(claimed);
  const header = parseHeader(file, await source.read(8, length));

  const dataStart = 8 + length;
  const metadata = parseMetadata(file, header.__metadata__);
  const infos = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => parseEntry(file, name, entry, dataStart, size));
  checkLayout(file, infos, dataStart, size);
  const tensors = new Map(infos.map((info) => [info.name, info]));
  return { format: 'safetensors', name: file, tensors, metadata, ...tensorReader(source, tensors) };
}

/** Reads tensors of `source`, or pieces of them, by name; shared by the formats whose tensors lie in one piece. */
export function tensorReader(
  source: ByteSource,
  tensors: ReadonlyMap<string, TensorInfo>,
): Required<Pick<WeightFile, 'read' | 'readPart'>> {
  const infoOf = (name: string): TensorInfo => {
    const info = tensors.get(name);
    if (!info)
      throw badWeights(
        source.name,
        `it has no tensor "${name}".`,
        'Check that the file belongs to this model: its config asks for a tensor that the file lacks.',
      );
    return info;
  };
  return {
    async read(name) {
      const { byteOffset, byteLength } = infoOf(name);
      return source.read(byteOffset, byteLength);
    },
    async readPart(name, offset, length) {
      const { byteOffset, byteLength } = infoOf(name);
      return source.read(byteOffset + offset, Math.max(0, Math.min(length, byteLength - offset)));
    },
  };
}

function parseHeader(file: string, bytes: Uint8Array): Record<string, unknown> {
  const keys = scanHeader(file, bytes);
  let header: unknown;
  const names: string[] = [];
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    header = JSON.parse(decoder.decode(bytes));
    for (const [start, end] of keys)
      names.push(JSON.parse(decoder.decode(bytes.subarray(start, end))) as string);
  } catch (cause) {
    throw badWeights(file, 'its header is no valid JSON, so it is no safetensors file.', undefined, cause);
  }
  if (!isRecord(header))
    throw badWeights(file, 'its header is no JSON object, so it is no safetensors file.');
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw badWeights(file, `its header names the tensor "${name}" twice.`);
    seen.add(name);
  }
  return header;
}

/**
 * Where the keys of the header's outermost object lie, quotes included, repeated ones too: JSON.parse silently keeps the
 * last of them. One look at each byte before JSON.parse, which takes seconds for 10^7 nested brackets.
 */
function scanHeader(file: string, bytes: Uint8Array): [start: number, end: number][] {
  const keys: [number, number][] = [];
  let depth = 0;
  let keyNext = false;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > MAX_DEPTH)
          throw badWeights(file, 'its header is nested too deep, so it is no safetensors file.');
        keyNext = depth === 1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case 0x2c: // ,
        keyNext = depth === 1;
        break;
      case 0x22: {
        const start = i;
        for (i++; i < bytes.length && bytes[i] !== 0x22; i++) if (bytes[i] === 0x5c) i++;
        if (!keyNext) break;
        if (i - start > MAX_NAME_BYTES)
          throw badWeights(file, `a name in its header is longer than ${MAX_NAME_BYTES} bytes.`);
        keys.push([start, i + 1]);
        keyNext = false;
      }
    }
  }
  return keys;
}

function parseMetadata(file: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value) || !Object.values(value).every((entry) => typeof entry === 'string'))
    throw badWeights(file, 'the __metadata__ of its header is not a table of strings.');
  return value as Record<string, string>;
}

function parseEntry(file: string, name: string, entry: unknown, dataStart: number, size: number): TensorInfo {
  const where = `${file}, tensor "${name}"`;
  if (!isRecord(entry)) throw badWeights(where, 'its entry in the header is no object.');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !isStoredDType(dtype))
    throw badWeights(
      where,
      `its dtype is ${JSON.stringify(dtype)}, which Prelude does not read.`,
      'Use an edition of the model in F32, F16 or BF16.',
    );
  if (!Array.isArray(shape)) throw badWeights(where, 'its shape is no list.');
  const byteLength = byteLengthOf(dtype, shape);
  if (typeof byteLength === 'string') throw badWeights(where, `${byteLength}.`);
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every((o) => Number.isSafeInteger(o) && o >= 0)
  )
    throw badWeights(
      where,
      `its data_offsets are ${JSON.stringify(offsets)}, not two whole numbers from 0 up.`,
    );
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw badWeights(where, `it begins at byte ${begin} and ends before that, at ${end}.`);
  if (end > size - dataStart)
    throw badWeights(
      where,
      `it ends at byte ${end} of the data, but the file has only ${size - dataStart} bytes of data.`,
    );
  if (end - begin !== byteLength)
    throw badWeights(
      where,
      `shape [${shape.join(', ')}] in ${dtype} takes ${byteLength} bytes, its offsets give ${end - begin}.`,
    );
  return { name, dtype, shape: shape as number[], byteOffset: dataStart + begin, byteLength };
}

function checkLayout(file: string, infos: readonly TensorInfo[], dataStart: number, size: number): void {
  const sorted = [...infos].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = dataStart;
  let before = 'the header';
  for (const info of sorted) {
    if (info.byteOffset < end) throw badWeights(`${file}, tensor "${info.name}"`, `it overlaps ${before}.`);
    if (info.byteOffset > end)
      throw badWeights(
        `${file}, tensor "${info.name}"`,
        `${info.byteOffset - end} unused bytes lie between it and ${before}.`,
      );
    end = info.byteOffset + info.byteLength;
    before = `tensor "${info.name}"`;
  }
  if (end !== size) throw badWeights(file, `${size - end} bytes at its end belong to no tensor.`);
}

function isStoredDType(dtype: string): dtype is DType {
  return Object.hasOwn(UNIT, dtype) && !isBlockType(dtype as DType);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A tensor to be written: raw little-endian bytes in row-major order. */
export interface TensorData {
  name: string;
  dtype: DType;
  shape: readonly number[];
  data: Uint8Array;
}

/**
 * A safetensors file in memory. Like the reference implementation it puts wider dtypes first, then sorts by name, and
 * pads the header with spaces so that the data begin at a multiple of 8 bytes.
 * @throws PreludeError 'bad-weights' when bytes and shape disagree or a name appears twice: a mistake of the caller.
 */
export function writeSafetensors(
  tensors: readonly TensorData[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(
    (a, b) => UNIT[b.dtype][1] - UNIT[a.dtype][1] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const entries: [string, unknown][] = metadata ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const { name, dtype, shape, data } of sorted) {
    const byteLength = isStoredDType(dtype)
      ? byteLengthOf(dtype, shape)
      : `safetensors has no dtype ${dtype}`;
    if (byteLength !== data.byteLength)
      throw badWeights(
        `tensor "${name}"`,
        `[${shape.join(', ')}] ${dtype} does not take ${data.byteLength} bytes (${byteLength}).`,
      );
    if (name === '__metadata__' || entries.some(([other]) => other === name))
      throw badWeights(`tensor "${name}"`, 'the name is taken.');
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const json = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const headerLength = Math.ceil(text.byteLength / 8) * 8;
  const file = new Uint8Array(8 + headerLength + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, 8, 8 + headerLength);
  file.set(text, 8);
  offset = 8 + headerLength;
  for (const { data } of sorted) {
    file.set(data, offset);
    offset += data.byteLength;
  }
  return file;
}
