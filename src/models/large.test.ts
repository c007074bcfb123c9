/** A checkpoint of three billion numbers, of which there is only the table of contents: its values are zeros as they are read. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Session } from '../graph/index.ts';
import { type ByteSource, countOf, fingerprintOf, openSafetensors } from '../weights/index.ts';
import { uploadFrozen } from './load.ts';
import { makeModel } from './registry.ts';
import { t5XlConfig, t5XlShapes } from './testing/t5Xl.ts';

/** A safetensors file in bfloat16: of 24 layers 5.7 GB. */
function t5XlFile(layers: number, words: number, seen: (length: number) => void): ByteSource {
  let end = 0;
  const entries = [...t5XlShapes(layers, words)].map(([name, shape]) => {
    const start = end;
    end += 2 * countOf(shape);
    return [name, { dtype: 'BF16', shape, data_offsets: [start, end] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const beginning = new Uint8Array(8 + header.byteLength);
  new DataView(beginning.buffer).setBigUint64(0, BigInt(header.byteLength), true);
  beginning.set(header, 8);
  return {
    name: 'model.safetensors',
    size: beginning.byteLength + end,
    async read(offset, length) {
      seen(length);
      const bytes = new Uint8Array(length);
      bytes.set(beginning.subarray(offset, offset + length));
      return bytes;
    },
  };
}

/** A device that takes all and keeps nothing: GPU memory is no JavaScript memory. */
function drain(taken: (bytes: number) => void): Session {
  return {
    persistent: new Map(),
    buffers: { make: (size: number, label: string) => ({ size, label }) },
    gpu: {
      queue: {
        writeBuffer: (_buffer: object, _offset: number, data: Uint8Array) => taken(data.byteLength),
        onSubmittedWorkDone: async () => undefined,
      },
    },
  } as unknown as Session;
}

const GIB = 2 ** 30;

// Values are brought to 4 bits piece by piece: how many pieces there are changes nothing of what is held at once.
test.each([
  { layers: 24, words: 32_128, precision: 'stored', share: 1, most: GIB },
  { layers: 1, words: 2048, precision: 'q4_0', share: 0.3, most: GIB / 4 },
] as const)(
  '$layers layers of a 3B checkpoint are opened, named and uploaded ($precision) within bounds of JavaScript memory, and read once',
  async ({ layers, words, precision, share, most }) => {
    // Garbage that waits for its collector is no memory that a tab must have.
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const inUse = () => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const before = inUse();
    let [read, longest, peak, uploaded, looked] = [0, 0, 0, 0, 0];
    const source = t5XlFile(layers, words, (length) => {
      read += length;
      longest = Math.max(longest, length);
      // A collection takes milliseconds: every 64 MiB that are read are looked at.
      if (read - looked < 2 ** 26) return;
      looked = read;
      peak = Math.max(peak, inUse() - before);
    });
    const weights = await openSafetensors(source);
    await fingerprintOf(weights);
    expect(read).toBeLessThan(0.02 * source.size);
    const model = makeModel(t5XlConfig(layers, words), weights, { precision, bindingBytes: 2 ** 27 });
    await uploadFrozen(
      drain((bytes) => {
        uploaded += bytes;
      }),
      model,
      weights,
    );
    expect(source.size).toBeGreaterThan(layers === 24 ? 5.6e9 : 2e8);
    expect(uploaded).toBeGreaterThan(0.99 * share * source.size);
    expect(uploaded).toBeLessThan(1.1 * share * source.size);
    expect(read).toBeLessThan(1.02 * source.size);
    expect(longest).toBeLessThanOrEqual(8 * 2 ** 20);
    expect(peak).toBeGreaterThan(2 ** 20);
    expect(peak).toBeLessThan(most);
  },
  120_000,
);
