import { PreludeError } from '../errors.ts';
import { type Session, upload } from '../graph/index.ts';
import type { Dtype } from '../kernels/index.ts';
import { type DType, toFloat32, type WeightFile } from '../weights/index.ts';
import type { FrozenTensor, Seq2SeqModel } from './model.ts';

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

/** The values of a frozen matrix as the engine holds it, in f32: parts stacked, tables expanded. */
export async function readFrozen(
  weights: WeightFile,
  { parts, expand }: FrozenTensor,
): Promise<Float32Array<ArrayBuffer>> {
  const values: Float32Array[] = [];
  for (const part of parts)
    values.push(toFloat32(await weights.read(part), weights.tensors.get(part)!.dtype));
  const whole = new Float32Array(values.reduce((sum, v) => sum + v.length, 0));
  let at = 0;
  for (const v of values) {
    whole.set(v, at);
    at += v.length;
  }
  return expand ? expand(whole) : whole;
}

/**
 * Uploads all frozen matrices, each once, one after another: no more than one is in JavaScript memory at a time.
 * @throws PreludeError `bad-weights` for a value that is not finite in a norm or a bias table.
 */
export async function uploadFrozen(
  session: Session,
  model: Seq2SeqModel,
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

async function readRaw(weights: WeightFile, { parts }: FrozenTensor): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for (const part of parts) chunks.push(await weights.read(part));
  const whole = new Uint8Array(chunks.reduce((sum, c) => sum + c.byteLength, 0));
  let at = 0;
  for (const c of chunks) {
    whole.set(c, at);
    at += c.byteLength;
  }
  return whole;
}
