import { PreludeError } from '../errors.ts';
import { type Session, uploadPart } from '../graph/index.ts';
import {
  layOut,
  piecesOf,
  publishedBytes,
  type Tensor,
  tensorBytes,
  uploadUnit,
  type WeightDtype,
} from '../kernels/index.ts';
import {
  byteLengthOf,
  type DType,
  quantize,
  readPart,
  toFloat32,
  toHalfBytes,
  type WeightFile,
} from '../weights/index.ts';
import type { FrozenModel, FrozenTensor } from './model.ts';
import { publishedDtype, storedFormat, turnedDtype } from './precision.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What is read of a file at once, and what waits for the queue at most: the bounds of JavaScript memory while a model loads. */
const CHUNK_BYTES = 8 * 2 ** 20;
const IN_FLIGHT_BYTES = 64 * 2 ** 20;

/** Whole rows as they are published, in the order in which the engine has them. */
interface PublishedRows {
  dtype: DType;
  rows: number;
  bytes: Uint8Array;
}

/** Rows in the format of one piece of the tensor, laid out as published files lay it out. */
interface KeptRows {
  piece: Tensor;
  bytes: Uint8Array;
}

const rowBytes = (dtype: DType, cols: number): number => byteLengthOf(dtype, [1, cols]) as number;
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

async function* publishedRows(weights: WeightFile, frozen: FrozenTensor): AsyncGenerator<PublishedRows> {
  if (frozen.rowOrder) yield await reordered(weights, frozen, frozen.rowOrder);
  else for (const part of frozen.parts) yield* rowsOfPart(weights, frozen, part);
}

async function* rowsOfPart(
  weights: WeightFile,
  { tensor, transposed }: FrozenTensor,
  part: string,
): AsyncGenerator<PublishedRows> {
  const { dtype, shape, byteLength } = weights.tensors.get(part)!;
  if (transposed) {
    yield transpose(await weights.read(part), dtype, shape[0]!, shape[1]!);
    return;
  }
  const width = rowBytes(dtype, tensor.cols);
  const rows = shape[0]!;
  // A file that cannot read a piece alone is asked once.
  const step = weights.readPart ? Math.max(1, Math.floor(CHUNK_BYTES / width)) : rows;
  for (let row = 0; row < rows; row += step) {
    const bytes = await readPart(
      weights,
      part,
      row * width,
      Math.min(step * width, byteLength - row * width),
    );
    yield { dtype, rows: bytes.byteLength / width, bytes };
  }
}

/** All parts at once, since any row may come from any of them. Parts of several formats meet in f32. */
async function reordered(
  weights: WeightFile,
  frozen: FrozenTensor,
  rowOrder: (row: number) => number,
): Promise<PublishedRows> {
  const chunks: PublishedRows[] = [];
  for (const part of frozen.parts)
    for await (const chunk of rowsOfPart(weights, frozen, part)) chunks.push(chunk);
  const first = chunks[0]!.dtype;
  const same = chunks.every(({ dtype }) => dtype === first);
  const dtype = same ? first : 'F32';
  const whole = joined(
    chunks.map((chunk) => (same ? chunk.bytes : bytesOf(toFloat32(chunk.bytes, chunk.dtype)))),
  );
  const width = rowBytes(dtype, frozen.tensor.cols);
  const rows = frozen.tensor.rows as number;
  const bytes = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = rowOrder(row) * width;
    bytes.set(whole.subarray(from, from + width), row * width);
  }
  return { dtype, rows, bytes };
}

/** [rows, cols] turned round. */
function transpose(bytes: Uint8Array, dtype: DType, rows: number, cols: number): PublishedRows {
  const turnedTo = turnedDtype(dtype);
  const halves = turnedTo !== 'F32';
  const values = halves ? new Uint16Array(new Uint8Array(bytes).buffer) : toFloat32(bytes, dtype);
  const turned = halves ? new Uint16Array(values.length) : new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) turned[c * rows + r] = values[r * cols + c]!;
  return { dtype: turnedTo, rows: cols, bytes: new Uint8Array(turned.buffer) };
}

/** The rows of a matrix, each brought to the format of the piece it belongs to. */
async function* keptRows(weights: WeightFile, frozen: FrozenTensor): AsyncGenerator<KeptRows> {
  const { cols } = frozen.tensor;
  const pieces = piecesOf(frozen.tensor);
  let at = 0;
  let filled = 0;
  for await (const { dtype, rows, bytes } of publishedRows(weights, frozen)) {
    const width = bytes.byteLength / rows;
    for (let row = 0; row < rows; ) {
      const piece = pieces[at]!;
      const count = Math.min(rows - row, (piece.rows as number) - filled);
      const some = bytes.subarray(row * width, (row + count) * width);
      yield { piece, bytes: toFormat(some, dtype, piece.dtype as WeightDtype, frozen.parts[0]!) };
      row += count;
      filled += count;
      if (filled === piece.rows) {
        at++;
        filled = 0;
      }
    }
  }
  if (at !== pieces.length) throw new Error(`${frozen.tensor.name}: ${cols} columns, but rows are missing`);
}

/** @throws PreludeError `bad-weights` where a value that has to be changed is not finite */
function toFormat(bytes: Uint8Array, dtype: DType, format: WeightDtype, part: string): Uint8Array {
  if (publishedDtype(format) === dtype && format !== 'f32') return bytes;
  const values = toFloat32(bytes, dtype);
  checkFinite(values, part);
  if (format === 'f32') return bytesOf(values);
  if (format === 'f16') return toHalfBytes(values);
  if (format === 'q8_0' || format === 'q4_0') return quantize(values, format === 'q8_0' ? 'Q8_0' : 'Q4_0');
  throw new Error(`${part}: ${dtype} (${storedFormat(dtype)}) cannot be brought to ${format}`);
}

/** Values of vectors, one after another, or of what a table is made from. A row of a vector is one value. */
async function readValues(weights: WeightFile, { tensor, parts, rowOrder }: FrozenTensor) {
  const chunks: Float32Array[] = [];
  for (const part of parts)
    chunks.push(toFloat32(await weights.read(part), weights.tensors.get(part)!.dtype));
  const values = new Float32Array(joined(chunks.map(bytesOf)).buffer);
  return rowOrder ? Float32Array.from({ length: tensor.cols }, (_, i) => values[rowOrder(i)]!) : values;
}

function joined(chunks: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** The values of a frozen matrix as the engine holds it, in f32: parts stacked, rows put in order, tables expanded. */
export async function readFrozen(
  weights: WeightFile,
  frozen: FrozenTensor,
): Promise<Float32Array<ArrayBuffer>> {
  const { tensor, kind, expand } = frozen;
  if (kind !== 'matrix') {
    const values = await readValues(weights, frozen);
    return expand ? expand(values) : values;
  }
  const values = new Float32Array((tensor.rows as number) * tensor.cols);
  let at = 0;
  for await (const { piece, bytes } of keptRows(weights, frozen)) {
    const some = toFloat32(bytes, publishedDtype(piece.dtype as WeightDtype));
    values.set(some, at);
    at += some.length;
  }
  return expand ? expand(values) : values;
}

/** A frozen matrix for a runtime that knows f32 and halves: the bytes of halves, the f32 values of all else. */
export async function readWidened(
  weights: WeightFile,
  frozen: FrozenTensor,
): Promise<Float32Array<ArrayBuffer> | Bytes> {
  if (frozen.tensor.dtype !== 'f16') return readFrozen(weights, frozen);
  const chunks: Uint8Array[] = [];
  for await (const { bytes } of keptRows(weights, frozen)) chunks.push(bytes);
  return joined(chunks);
}

/**
 * Uploads all frozen matrices, each once, a few megabytes after the other, quantised on the way where the model asks for it: however
 * large the checkpoint, little of it is in JavaScript memory at a time.
 * @throws PreludeError `bad-weights` for a value that is not finite in an f32 matrix, a norm or a bias table.
 */
export async function uploadFrozen(
  session: Session,
  model: Pick<FrozenModel, 'frozen'>,
  weights: WeightFile,
  onProgress?: (bytes: number, total: number) => void,
): Promise<void> {
  const total = model.frozen.reduce((sum, { tensor }) => sum + tensorBytes(tensor, {}), 0);
  let done = 0;
  let inFlight = 0;
  const send = async (tensor: Tensor, offset: number, bytes: Bytes) => {
    uploadPart(session, tensor, offset, bytes);
    done += bytes.byteLength;
    inFlight += bytes.byteLength;
    if (inFlight > IN_FLIGHT_BYTES) {
      await session.gpu.queue.onSubmittedWorkDone();
      inFlight = 0;
    }
    onProgress?.(Math.min(done, total), total);
  };
  for (const frozen of model.frozen) {
    if (frozen.kind === 'matrix') await uploadMatrix(weights, frozen, send);
    else {
      const values = await readFrozen(weights, frozen);
      checkFinite(values, frozen.parts[0] ?? frozen.tensor.name);
      await send(frozen.tensor, 0, bytesOf(values) as Bytes);
    }
  }
}

async function uploadMatrix(
  weights: WeightFile,
  frozen: FrozenTensor,
  send: (tensor: Tensor, offset: number, bytes: Bytes) => Promise<void>,
): Promise<void> {
  let current: Tensor | undefined;
  let offset = 0;
  let left = 0;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const { piece, bytes } of keptRows(weights, frozen)) {
    const dtype = piece.dtype as WeightDtype;
    if (piece !== current) {
      current = piece;
      offset = 0;
      left = publishedBytes(dtype, (piece.rows as number) * piece.cols);
    }
    const own = rest.byteLength > 0 ? joined([rest, bytes]) : (bytes as Bytes);
    left -= bytes.byteLength;
    // All but the end of a matrix go in whole words, and in pairs of blocks.
    const whole = left === 0 ? own.byteLength : own.byteLength - (own.byteLength % uploadUnit(dtype));
    rest = own.slice(whole);
    const laidOut = layOut(dtype, own.subarray(0, whole));
    if (whole > 0) await send(piece, offset, laidOut);
    offset += laidOut.byteLength;
  }
}

function checkFinite(values: Float32Array, part: string): void {
  if (values.every(Number.isFinite)) return;
  throw new PreludeError('bad-weights', `${part} holds values that are not finite.`, {
    where: part,
    remedy: 'Get the file again from where the model was published.',
  });
}
