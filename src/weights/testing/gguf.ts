/** GGUF files piece by piece, right and wrong ones. */

export type Piece = Uint8Array;

/** The lowest bytes of a number, little-endian; negative ones in two's complement. */
export const little = (bytes: number, value: number | bigint): Piece => {
  const piece = new Uint8Array(8);
  new DataView(piece.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return piece.slice(0, bytes);
};
export const u32 = (value: number) => little(4, value);
export const u64 = (value: number | bigint) => little(8, value);
export const f64 = (value: number): Piece => new Uint8Array(Float64Array.of(value).buffer);
export const f32 = (value: number): Piece => new Uint8Array(Float32Array.of(value).buffer);
export const raw = (text: string): Piece => new TextEncoder().encode(text);
export const str = (text: string): Piece => join([u64(raw(text).length), raw(text)]);
export const join = (pieces: readonly Piece[]): Piece => new Uint8Array(Buffer.concat(pieces));

/** One metadata pair. */
export const pair = (key: string, type: number, value: Piece): Piece => join([str(key), u32(type), value]);

interface Info {
  name?: string;
  /** In the file's order: fastest dimension first. */
  dims?: readonly (number | bigint)[];
  type?: number;
  offset?: number | bigint;
}
export const info = ({ name = 'a', dims = [2], type = 0, offset = 0 }: Info): Piece =>
  join([str(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset)]);

const padding = (length: number): Piece => new Uint8Array((32 - (length % 32)) % 32);

/** A GGUF file of these parts, its data (bytes, or so many zeros) aligned to 32 bytes. */
export function gguf(parts: {
  magic?: string;
  version?: number;
  tensorCount?: number | bigint;
  pairCount?: number | bigint;
  pairs?: readonly Piece[];
  infos?: readonly Piece[];
  data?: number | Piece;
}): Uint8Array {
  const { magic = 'GGUF', version = 3, pairs = [], infos = [], data = 0 } = parts;
  const counts = [u64(parts.tensorCount ?? infos.length), u64(parts.pairCount ?? pairs.length)];
  const head = join([raw(magic), u32(version), ...counts, ...pairs, ...infos]);
  return join([head, padding(head.length), typeof data === 'number' ? new Uint8Array(data) : data]);
}

type Value = string | number | boolean | readonly string[] | readonly number[];

/** Whole numbers as u32, others as f32, as llama.cpp's conversion writes them. */
function metadataPair(key: string, value: Value): Piece {
  if (typeof value === 'string') return pair(key, 8, str(value));
  if (typeof value === 'boolean') return pair(key, 7, little(1, value ? 1 : 0));
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= 0 ? pair(key, 4, u32(value)) : pair(key, 6, f32(value));
  const strings = value.every((one) => typeof one === 'string');
  const items = value.map((one) => (typeof one === 'string' ? str(one) : f32(one)));
  return pair(key, 9, join([u32(strings ? 8 : 6), u64(value.length), ...items]));
}

/** A whole GGUF file of f32 tensors. Shapes outermost first, as elsewhere here. */
export function writeGguf(
  metadata: Readonly<Record<string, Value>>,
  tensors: readonly { name: string; shape: readonly number[]; values: Float32Array }[],
): Uint8Array {
  let offset = 0;
  const infos: Piece[] = [];
  const data: Piece[] = [];
  for (const { name, shape, values } of tensors) {
    infos.push(info({ name, dims: [...shape].reverse(), offset }));
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    data.push(bytes, padding(bytes.length));
    offset += bytes.length + padding(bytes.length).length;
  }
  const pairs = Object.entries(metadata).map(([key, value]) => metadataPair(key, value));
  return gguf({ pairs, infos, data: join(data) });
}
