import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Session } from '../graph/index.ts';
import { layOut, piecesOf, type Tensor, tensorBytes } from '../kernels/index.ts';
import {
  bytesSource,
  type DType,
  dequantize,
  openSafetensors,
  quantize,
  type TensorInfo,
  toFloat32,
  type WeightFile,
} from '../weights/index.ts';
import { type Checkpoint, collectFrozen } from './frozen.ts';
import { readFrozen, uploadFrozen } from './load.ts';
import { keptFormat, type Precision } from './precision.ts';
import { makeModel } from './registry.ts';

const golden = (type: string) =>
  openSafetensors(
    bytesSource(readFileSync(new URL(`../weights/testdata/${type}.safetensors`, import.meta.url)), type),
  );

/** A checkpoint in memory, read in pieces as files are. */
function memoryWeights(
  tensors: Record<string, { dtype: DType; shape: number[]; bytes: Uint8Array }>,
): WeightFile {
  const infos = new Map<string, TensorInfo>(
    Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => [
      name,
      { name, dtype, shape, byteOffset: 0, byteLength: bytes.byteLength },
    ]),
  );
  return {
    format: 'gguf',
    name: 'memory',
    metadata: {},
    tensors: infos,
    read: async (name) => tensors[name]!.bytes,
    readPart: async (name, offset, length) => tensors[name]!.bytes.subarray(offset, offset + length),
  };
}

const checkpoint = (
  { tensors }: WeightFile,
  { precision = 'stored', bindingBytes = Number.POSITIVE_INFINITY }: Partial<Checkpoint> = {},
): Checkpoint => ({
  get: (name) => tensors.get(name),
  has: (name) => tensors.has(name),
  precision,
  bindingBytes,
});

/** Two rows of 512 of each: the formats that a Q4_K_M file mixes. */
async function mixed(): Promise<WeightFile> {
  const q4 = await (await golden('Q4_K')).read('real.blocks');
  const q6 = await (await golden('Q6_K')).read('real.blocks');
  const shape = [4, 512];
  return memoryWeights({
    q: { dtype: 'Q4_K', shape, bytes: q4 },
    k: { dtype: 'Q4_K', shape, bytes: q4 },
    v: { dtype: 'Q6_K', shape, bytes: q6 },
  });
}

const describeWeight = (tensor: Tensor) => piecesOf(tensor).map(({ rows, dtype }) => [rows, dtype]);

describe('how a matrix is kept', () => {
  test('neighbours of one format are one piece; another format begins another', async () => {
    const weights = await mixed();
    const frozen = collectFrozen(checkpoint(weights));
    expect(describeWeight(frozen.matrix('qk', ['q', 'k'], 8, 512))).toEqual([[8, 'q4_k']]);
    const qkv = frozen.matrix('qkv', ['q', 'k', 'v'], 12, 512);
    expect(qkv.dtype).toBe('f32');
    expect(describeWeight(qkv)).toEqual([
      [8, 'q4_k'],
      [4, 'q6_k'],
    ]);
    const values = await readFrozen(weights, frozen.list[1]!);
    const [q4, q6] = await Promise.all([golden('Q4_K'), golden('Q6_K')]);
    const expected = await Promise.all(
      [q4, q4, q6].map(async (file) => toFloat32(await file.read('real.values'), 'F32')),
    );
    expect(values).toEqual(Float32Array.from(expected.flatMap((part) => [...part])));
  });

  test('a matrix larger than a buffer is cut by rows, at multiples of four', async () => {
    const shape = [50, 96];
    const source = Float32Array.from({ length: 50 * 96 }, (_, i) => Math.sin(i));
    const weights = memoryWeights({ t: { dtype: 'F32', shape, bytes: new Uint8Array(source.buffer) } });
    const pieces = (bindingBytes: number, precision: Precision = 'stored') =>
      describeWeight(
        collectFrozen(checkpoint(weights, { bindingBytes, precision })).matrix('t', ['t'], 50, 96),
      );
    expect(pieces(50 * 96 * 4)).toEqual([[50, 'f32']]);
    expect(pieces(50 * 96 * 4 - 1)).toEqual([
      [28, 'f32'],
      [22, 'f32'],
    ]);
    expect(pieces(20 * 96 * 4)).toEqual([
      [20, 'f32'],
      [20, 'f32'],
      [10, 'f32'],
    ]);
    expect(pieces(20 * 96 * 4, 'q8_0')).toEqual([[50, 'q8_0']]);
  });

  test('what is read of a quantised matrix is what the shaders see', async () => {
    const source = Float32Array.from({ length: 8 * 96 }, (_, i) => Math.sin(i * i));
    const weights = memoryWeights({
      t: { dtype: 'F32', shape: [8, 96], bytes: new Uint8Array(source.buffer) },
    });
    for (const precision of ['q8_0', 'q4_0'] as const) {
      const type = precision === 'q8_0' ? 'Q8_0' : 'Q4_0';
      const frozen = collectFrozen(checkpoint(weights, { precision, bindingBytes: 5 * 102 }));
      frozen.matrix('t', ['t'], 8, 96);
      expect(await readFrozen(weights, frozen.list[0]!)).toEqual(
        dequantize(quantize(source, type), type, source.length),
      );
    }
  });

  test('a matrix published [in, out] is turned round, and its rows chosen, in the format it has', async () => {
    const published = Uint16Array.from({ length: 12 * 8 }, (_, i) => 0x3c00 + i);
    const weights = memoryWeights({
      t: { dtype: 'F16', shape: [8, 12], bytes: new Uint8Array(published.buffer) },
    });
    const frozen = collectFrozen(checkpoint(weights));
    const all = frozen.matrix('all', ['t'], 12, 8, { transposed: true });
    frozen.matrix('some', ['t'], 4, 8, { transposed: true, rowOrder: (row) => 9 - row, published: 12 });
    expect(all.dtype).toBe('f16');
    const at = (row: number, col: number) =>
      toFloat32(new Uint8Array(published.slice(col * 12 + row, col * 12 + row + 1).buffer), 'F16')[0];
    const [whole, some] = await Promise.all(frozen.list.map((one) => readFrozen(weights, one)));
    for (let col = 0; col < 8; col++) {
      for (let row = 0; row < 12; row++) expect(whole![row * 8 + col]).toBe(at(row, col));
      for (let row = 0; row < 4; row++) expect(some![row * 8 + col]).toBe(at(9 - row, col));
    }
  });

  test('values that are not finite are refused by name', async () => {
    const bytes = new Uint8Array(new Float32Array(128).fill(Number.NaN).buffer);
    const weights = memoryWeights({ bad: { dtype: 'F32', shape: [4, 32], bytes } });
    for (const precision of ['stored', 'q8_0'] as const) {
      const frozen = collectFrozen(checkpoint(weights, { precision }));
      frozen.matrix('bad', ['bad'], 4, 32);
      await expect(readFrozen(weights, frozen.list[0]!)).rejects.toThrow(
        /^bad holds values that are not finite/,
      );
    }
  });

  test.each([
    ['F32', 64, 'stored', 'f32'],
    ['F64', 64, 'stored', 'f32'],
    ['BF16', 64, 'stored', 'bf16'],
    ['F8_E4M3', 64, 'stored', 'f16'],
    ['Q5_K', 256, 'stored', 'q5_k'],
    ['F16', 64, 'q4_0', 'q4_0'],
    ['F16', 48, 'q4_0', 'f16'],
    ['Q8_0', 64, 'q4_0', 'q8_0'],
    ['Q2_K', 256, 'q8_0', 'q2_k'],
  ] as const)('%s with rows of %i at %s is %s', (dtype, cols, precision, kept) => {
    expect(keptFormat(dtype, cols, precision)).toBe(kept);
  });

  test('token tables keep 8 bits, positions are never quantised', () => {
    expect(keptFormat('F16', 64, 'q4_0', 'q8_0')).toBe('q8_0');
    expect(keptFormat('F16', 64, 'q8_0', 'q8_0')).toBe('q8_0');
    expect(keptFormat('F16', 64, 'q4_0', 'stored')).toBe('f16');
  });
});

/** Bytes on the GPU, known from the table of contents alone. */
const weightBytesAt = (config: unknown, weights: Pick<WeightFile, 'tensors'>, precision: Precision) =>
  makeModel(config, weights, { precision }).frozen.reduce(
    (sum, { tensor }) => sum + tensorBytes(tensor, {}),
    0,
  );

describe('uploadFrozen', () => {
  /** A session whose buffers are arrays. */
  function memorySession() {
    const written = new Map<object, Uint8Array>();
    const session = {
      persistent: new Map(),
      buffers: {
        make(bytes: number, label: string) {
          const buffer = { label, size: bytes };
          written.set(buffer, new Uint8Array(Math.ceil(bytes / 4) * 4));
          return buffer;
        },
      },
      gpu: {
        queue: {
          writeBuffer: (buffer: object, offset: number, data: Uint8Array) =>
            written.get(buffer)!.set(data, offset),
          onSubmittedWorkDone: async () => undefined,
        },
      },
    } as unknown as Session;
    return { session, bytesOf: (tensor: Tensor) => written.get(session.persistent.get(tensor) as object)! };
  }

  test('a large matrix is read, quantised and written in small pieces, and is whole', async () => {
    // 11 blocks a row, and an odd number of rows in the first piece: pairs of blocks lie across it.
    const shape = [12_001, 352];
    const halves = Uint16Array.from(
      { length: shape[0]! * shape[1]! },
      (_, i) => 0x3000 + ((i * 7919) % 0x0fff),
    );
    const weights = memoryWeights({ t: { dtype: 'F16', shape, bytes: new Uint8Array(halves.buffer) } });
    let longest = 0;
    const watched: WeightFile = {
      ...weights,
      read: () => Promise.reject(new Error('read whole')),
      readPart: async (name, offset, length) => {
        longest = Math.max(longest, length);
        return weights.readPart!(name, offset, length);
      },
    };
    const frozen = collectFrozen(checkpoint(weights, { precision: 'q8_0', bindingBytes: 4_000_000 }));
    const whole = frozen.matrix('t', ['t'], shape[0]!, shape[1]!);
    expect(piecesOf(whole)).toHaveLength(2);
    const { session, bytesOf } = memorySession();
    const progress: number[] = [];
    await uploadFrozen(session, { frozen: frozen.list }, watched, (done, total) =>
      progress.push(done / total),
    );
    expect(longest).toBeLessThanOrEqual(8 * 2 ** 20);
    const values = toFloat32(new Uint8Array(halves.buffer), 'F16');
    let row = 0;
    for (const piece of piecesOf(whole)) {
      const end = row + (piece.rows as number);
      const own = quantize(values.subarray(row * shape[1]!, end * shape[1]!), 'Q8_0');
      expect(Buffer.compare(bytesOf(piece), layOut('q8_0', own))).toBe(0);
      row = end;
    }
    expect(progress.at(-1)).toBe(1);
  });
});

describe('bytes of a model', () => {
  test('are those of its values, in every family', async () => {
    const read = (path: string) => readFileSync(new URL(`./testdata/models/${path}`, import.meta.url));
    for (const name of ['t5', 'gpt2', 'opt', 'gemma3', 'llama', 'gpt_neox']) {
      const config = JSON.parse(read(`${name}/config.json`).toString());
      const weights = await openSafetensors(bytesSource(read(`${name}/model.safetensors`), name));
      const bytes = weightBytesAt(config, { tensors: weights.tensors }, 'stored');
      const { frozen } = makeModel(config, weights);
      const read32 = await Promise.all(frozen.map((one) => readFrozen(weights, one)));
      const f16 = frozen.filter(({ tensor }) => tensor.dtype === 'f16');
      expect(bytes).toBe(
        read32.reduce((sum, values) => sum + values.byteLength, 0) -
          f16.reduce((sum, { tensor }) => sum + (tensor.rows as number) * tensor.cols * 2, 0),
      );
    }
  });

  test('a T5 of 64 wide, at each precision', async () => {
    const config = {
      model_type: 't5',
      vocab_size: 100,
      d_model: 64,
      d_kv: 16,
      d_ff: 128,
      num_layers: 1,
      num_heads: 4,
      feed_forward_proj: 'relu',
      tie_word_embeddings: true,
      eos_token_id: 1,
      pad_token_id: 0,
      decoder_start_token_id: 0,
    };
    const tensors = new Map<string, TensorInfo>();
    const put = (name: string, ...shape: number[]) =>
      tensors.set(`${name}.weight`, {
        name: `${name}.weight`,
        dtype: 'F16',
        shape,
        byteOffset: 0,
        byteLength: 0,
      });
    put('shared', 100, 64);
    for (const [stack, cross] of [
      ['encoder', false],
      ['decoder', true],
    ] as const) {
      const block = `${stack}.block.0.layer`;
      put(`${block}.0.SelfAttention.relative_attention_bias`, 32, 4);
      put(`${block}.0.layer_norm`, 64);
      for (const w of ['q', 'k', 'v', 'o']) put(`${block}.0.SelfAttention.${w}`, 64, 64);
      if (cross) {
        for (const w of ['q', 'k', 'v', 'o']) put(`${block}.1.EncDecAttention.${w}`, 64, 64);
        put(`${block}.1.layer_norm`, 64);
      }
      const at = cross ? 2 : 1;
      put(`${block}.${at}.layer_norm`, 64);
      put(`${block}.${at}.DenseReluDense.wi`, 128, 64);
      put(`${block}.${at}.DenseReluDense.wo`, 64, 128);
      put(`${stack}.final_layer_norm`, 64);
    }
    const matrices = 12 * 64 * 64 + 4 * 64 * 128;
    const small = 4 * (2 * 4 * 257 + 7 * 64);
    const at = (precision: Precision) => weightBytesAt(config, { tensors }, precision);
    expect(at('stored')).toBe(2 * (matrices + 6400) + small);
    expect(at('q8_0')).toBe(((matrices + 6400) / 32) * 34 + small);
    // The token table stays at 8 bits.
    expect(at('q4_0')).toBe((matrices / 32) * 18 + (6400 / 32) * 34 + small);
  });
});
