import { badWeights } from './problem.ts';
import type { MetadataValue } from './types.ts';

/** The window ended before the table of contents did; the message says in the middle of what. */
export class NeedMore extends Error {}

/** Arrays in arrays are allowed by the format; no real file goes deeper than one. */
const MAX_DEPTH = 4;

/** Elements in all arrays of a file; the largest tokenizers (262,144 pieces with scores, types and merges) have 1.3 million. */
const MAX_ELEMENTS = 2 ** 21;

/** Bytes of the shortest value of each metadata type: a count that cannot fit in the file is refused before allocating. */
const SHORTEST = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8] as const;
const STRING_TYPE = 8;
const ARRAY_TYPE = 9;

/** Reads the little-endian pieces of a GGUF table of contents from the window `bytes` of a file of `fileSize` bytes. */
export class GgufCursor {
  position = 0;
  private readonly view: DataView;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private place = '';
  private elements = 0;
  private readonly file: string;
  private readonly bytes: Uint8Array;
  private readonly fileSize: number;

  constructor(file: string, bytes: Uint8Array, fileSize: number) {
    this.file = file;
    this.bytes = bytes;
    this.fileSize = fileSize;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Says what is being read, for messages. */
  at(place: string): void {
    this.place = place;
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** An unsigned 64-bit number that is used as a size. */
  size(where: string, what: string): number {
    const value = this.view.getBigUint64(this.take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw badWeights(where, `${what} is ${value}, beyond any file.`);
    return Number(value);
  }

  /** A count of things of at least `shortest` bytes each, refused when the rest of the file cannot hold them. */
  count(what: string, shortest: number): number {
    const value = this.view.getBigUint64(this.take(8), true);
    const room = this.fileSize - this.position;
    if (value * BigInt(shortest) > BigInt(room))
      throw badWeights(
        this.file,
        `it claims ${value} ${what}, but only ${room} bytes follow (${this.place}).`,
      );
    return Number(value);
  }

  string(): string {
    const length = this.count('bytes of text', 1);
    const start = this.take(length);
    try {
      return this.decoder.decode(this.bytes.subarray(start, start + length));
    } catch (cause) {
      throw badWeights(this.file, `a text is no valid UTF-8 (${this.place}).`, undefined, cause);
    }
  }

  /** A metadata value of a type of the specification. */
  value(type: number, depth: number): MetadataValue {
    switch (type) {
      case 0:
        return this.view.getUint8(this.take(1));
      case 1:
        return this.view.getInt8(this.take(1));
      case 2:
        return this.view.getUint16(this.take(2), true);
      case 3:
        return this.view.getInt16(this.take(2), true);
      case 4:
        return this.uint32();
      case 5:
        return this.view.getInt32(this.take(4), true);
      case 6:
        return this.view.getFloat32(this.take(4), true);
      case 7: {
        const byte = this.view.getUint8(this.take(1));
        if (byte > 1) throw badWeights(this.file, `a truth value is ${byte} (${this.place}).`);
        return byte === 1;
      }
      case STRING_TYPE:
        return this.string();
      case ARRAY_TYPE: {
        if (depth >= MAX_DEPTH) throw badWeights(this.file, `arrays are nested too deep (${this.place}).`);
        const element = this.uint32();
        const shortest = SHORTEST[element];
        if (shortest === undefined)
          throw badWeights(this.file, `there is no metadata type ${element} (${this.place}).`);
        const count = this.count('elements of an array', shortest);
        this.elements += count;
        if (this.elements > MAX_ELEMENTS)
          throw badWeights(this.file, `its arrays have more than ${MAX_ELEMENTS} elements (${this.place}).`);
        const values: MetadataValue[] = [];
        for (let i = 0; i < count; i++) values.push(this.value(element, depth + 1));
        return values;
      }
      case 10:
        return plain(this.view.getBigUint64(this.take(8), true));
      case 11:
        return plain(this.view.getBigInt64(this.take(8), true));
      case 12:
        return this.view.getFloat64(this.take(8), true);
      default:
        throw badWeights(this.file, `there is no metadata type ${type} (${this.place}).`);
    }
  }

  private take(length: number): number {
    const start = this.position;
    if (start + length > this.bytes.byteLength) throw new NeedMore(this.place);
    this.position = start + length;
    return start;
  }
}

/** A number where it is exact, else the bigint. */
function plain(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
