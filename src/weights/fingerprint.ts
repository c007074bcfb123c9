import { countOf, readPart, type WeightFile } from './types.ts';

const CHUNK_BYTES = 4 * 2 ** 20;
/** Above this weights are named by samples: a checkpoint of 3B parameters is not read twice. */
const WHOLE_BYTES = 64 * 2 ** 20;
const SAMPLES = 4;
const SAMPLE_BYTES = 16 * 2 ** 10;

/**
 * Names a model's weights, so that a prompt can say which frozen model it was learned on.
 *
 * For each tensor in the order of its name (by UTF-16 code units) the line
 * `JSON.stringify([name, dtype, shape]) + " " + hashes + "\n"`, where `hashes` are the hex SHA-256 of its raw bytes in
 * chunks of 4 MiB, joined by ","; the fingerprint is the hex SHA-256 of all lines in UTF-8. It does not depend on how
 * tensors are laid out or divided over files, nor on metadata; another dtype is another fingerprint.
 *
 * Where all tensors together have more than 64 MiB, a tensor of more than 64 KiB is named by four pieces of 16 KiB in the
 * place of its chunks: piece i begins at floor(i * (bytes - 16384) / 3). Another training changes every matrix, so it is told apart;
 * a single value changed on purpose may not be (what came from a hub is compared with its SHA-256 when it is downloaded).
 * At most one chunk is copied at a time.
 */
export async function fingerprintOf(
  weights: WeightFile,
  onTensor?: (done: number, of: number) => void,
): Promise<string> {
  const names = [...weights.tensors.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const total = [...weights.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const lines: string[] = [];
  for (const name of names) {
    const { dtype, shape, byteLength } = weights.tensors.get(name)!;
    const hashes: string[] = [];
    if (total > WHOLE_BYTES && byteLength > SAMPLES * SAMPLE_BYTES) {
      for (let i = 0; i < SAMPLES; i++) {
        const offset = Math.floor((i * (byteLength - SAMPLE_BYTES)) / (SAMPLES - 1));
        hashes.push(await sha256(await readPart(weights, name, offset, SAMPLE_BYTES)));
      }
    } else {
      const bytes = await weights.read(name);
      for (let offset = 0; offset < bytes.byteLength; offset += CHUNK_BYTES)
        hashes.push(await sha256(bytes.subarray(offset, offset + CHUNK_BYTES)));
    }
    lines.push(`${JSON.stringify([name, dtype, shape])} ${hashes.join(',')}\n`);
    onTensor?.(lines.length, names.length);
  }
  return sha256(new TextEncoder().encode(lines.join('')));
}

/** SHA-256 in hex. `crypto.subtle` exists where WebGPU does: in secure contexts, localhost included, and in Node. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Number of parameters in all tensors. */
export function parameterCount(weights: WeightFile): number {
  return [...weights.tensors.values()].reduce((sum, { shape }) => sum + countOf(shape), 0);
}
