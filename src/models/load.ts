import { PreludeError } from '../errors.ts';
import { type Session, upload } from '../graph/index.ts';
import type { Dtype } from '../kernels/index.ts';
import { type DType, toFloat32, type WeightFile } from '../weights/index.ts';
import type { FrozenModel, FrozenTensor } from './model.ts';

/** Format in GPU memory of a published dtype: halves stay halves, all else is widened to f32. */
export const residentDtype = (dtype: DType): Dtype => (dtype === 'F16' ? 'f16' : 'f32');

/** What a family needs to know of a checkpoint. */
export function checkpointOf(weights: WeightFile): Map<string, { shape: readonly number[]; dtype: Dtype }> {
  return new Map(
    [...weights.tensors].map(([name, info]) => [
      name,
      { shape: info.shape, dtype: residentDtype(info.dtype) },
    ]),
  );
}

/** The values of a frozen matrix as the engine holds it, in f32: parts stacked, rows put in order, tables expanded. */
export async function readFrozen(
  weights: WeightFile,
  frozen: FrozenTensor,
): Promise<Float32Array<ArrayBuffer>> {
  const values: Float32Array<ArrayBuffer>[] = [];
  for (const part of frozen.parts) {
    const { dtype, shape } = weights.tensors.get(part)!;
    const own = toFloat32(await weights.read(part), dtype) as Float32Array<ArrayBuffer>;
    values.push(frozen.transposed && shape.length === 2 ? transpose(own, shape[0]!, shape[1]!) : own);
  }
  const whole = values.length === 1 ? values[0]! : stack(values);
  const ordered = orderRows(weights, frozen, whole);
  return frozen.expand ? frozen.expand(ordered) : ordered;
}

function stack(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function transpose(values: Float32Array, rows: number, cols: number): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) turned[c * rows + r] = values[r * cols + c]!;
  return turned;
}

/** Takes the rows that `rowOrder` names; a row of a vector is one value. */
function orderRows<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  weights: WeightFile,
  { tensor, parts, rowOrder }: FrozenTensor,
  whole: T,
): T {
  if (!rowOrder) return whole;
  const vector = weights.tensors.get(parts[0]!)!.shape.length < 2;
  const rows = vector ? tensor.cols : (tensor.rows as number);
  const bytesPerValue = whole instanceof Uint8Array ? 2 : 1;
  const width = (vector ? 1 : tensor.cols) * bytesPerValue;
  const ordered = whole.slice(0, rows * width) as T;
  for (let row = 0; row < rows; row++) {
    const from = rowOrder(row) * width;
    ordered.set(whole.subarray(from, from + width), row * width);
  }
  return ordered;
}

/**
 * Uploads all frozen matrices, each once, one after another: no more than one is in JavaScript memory at a time.
 * @throws PreludeError `bad-weights` for a value that is not finite in a norm or a bias table.
 */
export async function uploadFrozen(
  session: Session,
  model: FrozenModel,
  weights: WeightFile,
  onProgress?: (bytes: number, total: number) => void,
): Promise<void> {
  const bytesOf = (frozen: FrozenTensor) =>
    frozen.parts.reduce((sum, part) => sum + (weights.tensors.get(part)?.byteLength ?? 0), 0);
  const total = model.frozen.reduce((sum, frozen) => sum + bytesOf(frozen), 0);
  let done = 0;
  for (const frozen of model.frozen) {
    upload(session, frozen.tensor, await readResident(weights, frozen));
    done += bytesOf(frozen);
    onProgress?.(done, total);
  }
}

/**
 * A frozen matrix in the engine's format: f32 values, or the bytes of a smaller format as they were published.
 * @throws PreludeError `bad-weights` for an f32 value that is not finite.
 */
export async function readResident(
  weights: WeightFile,
  frozen: FrozenTensor,
): Promise<Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>> {
  if (frozen.tensor.dtype === 'f16') return readRaw(weights, frozen);
  const values = await readFrozen(weights, frozen);
  if (!values.every(Number.isFinite))
    throw new PreludeError('bad-weights', `${frozen.parts[0]} holds values that are not finite.`, {
      where: frozen.parts[0],
      remedy: 'Get the file again from where the model was published.',
    });
  return values;
}

/** Halves as they were published. */
async function readRaw(weights: WeightFile, frozen: FrozenTensor): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for (const part of frozen.parts) chunks.push(await weights.read(part));
  const whole = new Uint8Array(chunks.reduce((sum, c) => sum + c.byteLength, 0));
  let at = 0;
  for (const c of chunks) {
    whole.set(c, at);
    at += c.byteLength;
  }
  return orderRows(weights, frozen, whole);
}
