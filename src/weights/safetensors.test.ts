import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computing } from '../testing/hostile.ts';
import { openSafetensors, type TensorData, writeSafetensors } from './safetensors.ts';
import { type ByteSource, blobSource, bytesSource } from './source.ts';
import { byteLengthOf, type DType } from './types.ts';

/** A file with this header and this many bytes of data. */
function file(header: unknown, dataBytes: number, claimedLength?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(json.byteLength), true);
  bytes.set(json, 8);
  return bytes;
}

const open = (bytes: Uint8Array) => openSafetensors(bytesSource(bytes, 'm.safetensors'));
const f32 = (shape: unknown, begin: unknown, end: unknown) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('openSafetensors', () => {
  it('reads a file of the reference implementation', async () => {
    const bytes = readFileSync(new URL('testdata/Q4_0.safetensors', import.meta.url));
    for (const source of [bytesSource(bytes), blobSource(new Blob([bytes]))]) {
      const opened = await openSafetensors(source);
      expect(opened.tensors.get('real.source')).toMatchObject({
        dtype: 'F32',
        shape: [4, 512],
        byteLength: 8192,
      });
      expect((await opened.read('real.blocks')).byteLength).toBe(4 * 16 * 18);
    }
  });

  it('accepts scalars, empty tensors and a header padded with spaces', async () => {
    const opened = await open(file(`${JSON.stringify({ s: f32([], 0, 4), e: f32([0, 7], 4, 4) })}   `, 4));
    expect(opened.tensors.get('s')?.shape).toEqual([]);
    expect((await opened.read('e')).byteLength).toBe(0);
  });

  it('reads a tensor named __proto__ like any other', async () => {
    const opened = await open(file('{"__proto__":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', 2));
    expect((await opened.read('__proto__')).byteLength).toBe(2);
  });

  const two = { a: f32([1], 0, 4), b: f32([1], 4, 8) };
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /at least 8 bytes/],
    ['a header longer than the file', file({}, 0, 1000n), /claims 1000 bytes, but only 2 follow/],
    ['a header of 2^63 bytes', file({}, 0, 1n << 63n), /claims 9223372036854775808 bytes/],
    ['a header that is no JSON', file('{"a":', 0), /no valid JSON/],
    ['a header that is no UTF-8', file('{"\u0000":1}', 0).fill(0xff, 10, 11), /no valid JSON/],
    ['a header that is a list', file([], 0), /no JSON object/],
    [
      'a name given twice',
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{}}', 1),
      /"a" twice/,
    ],
    ['metadata that are no strings', file({ __metadata__: { a: 1 } }, 0), /table of strings/],
    ['an entry that is no object', file({ a: 3 }, 0), /tensor "a": its entry/],
    ['an unknown dtype', file({ a: { dtype: 'F3', shape: [], data_offsets: [0, 1] } }, 1), /"F3"/],
    [
      'a ggml block type, which safetensors lacks',
      file({ a: { dtype: 'Q4_0', shape: [32], data_offsets: [0, 18] } }, 18),
      /"Q4_0"/,
    ],
    [
      'a dtype of the object prototype',
      file({ a: { dtype: 'toString', shape: [], data_offsets: [0, 1] } }, 1),
      /"toString"/,
    ],
    ['a shape that is no list', file({ a: f32('4', 0, 4) }, 4), /shape is no list/],
    ['a negative size', file({ a: f32([-1, -1], 0, 4) }, 4), /-1, which is no whole number/],
    ['a fraction', file({ a: f32([0.5, 2], 0, 4) }, 4), /0\.5/],
    [
      'sizes whose product overflows 64 bits',
      file({ a: f32([2 ** 32, 2 ** 32], 0, 0) }, 0),
      /larger than any file/,
    ],
    [
      'a product that hides behind a zero',
      file({ a: f32([2 ** 52, 2 ** 52, 0], 0, 0) }, 0),
      /larger than any file/,
    ],
    [
      'offsets that are no pair',
      file({ a: { dtype: 'F32', shape: [1], data_offsets: [0] } }, 4),
      /data_offsets/,
    ],
    ['a negative offset', file({ a: f32([1], -4, 0) }, 4), /data_offsets/],
    ['an end before the beginning', file({ a: f32([1], 4, 0) }, 4), /ends before/],
    [
      'a tensor beyond the end',
      file({ a: f32([2], 0, 8) }, 4),
      /ends at byte 8 of the data, but the file has only 4/,
    ],
    [
      'sizes that do not fit the offsets',
      file({ a: f32([3], 0, 4) }, 4),
      /takes 12 bytes, its offsets give 4/,
    ],
    ['overlapping tensors', file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), /"b": it overlaps tensor "a"/],
    ['the same bytes twice', file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4), /overlaps/],
    ['a hole', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /4 unused bytes lie between/],
    ['bytes at the end that belong to nothing', file(two, 9), /1 bytes at its end/],
    ['a truncated file', file(two, 8).slice(0, -1), /only 7 bytes of data/],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toMatchObject({
      code: 'bad-weights',
      message: expect.stringMatching(message),
    });
  });

  const repeat = (text: string, bytes: number) => text.repeat(bytes / text.length);
  it.each<[string, string, RegExp | number]>([
    ['a name of 8 MB', `{"${repeat('a', 8e6)}":1}`, /longer than 4096 bytes/],
    ['a name of escapes', `{"${repeat('\\n', 8e6)}":1}`, /longer than 4096 bytes/],
    ['a value of 8 MB', `{"a":"${repeat('a', 8e6)}"}`, /its entry/],
    ['millions of brackets', `{"a":${repeat('[', 4e6)}${repeat(']', 4e6)}}`, /nested too deep/],
    ['millions of brackets in a string', `{"a":"${repeat('[', 8e6)}"}`, /its entry/],
    ['a string that does not end', `{"a${repeat('\\"', 8e6)}`, /longer|no valid JSON/],
    [
      '100,000 tensors',
      JSON.stringify(Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [i, f32([0], 0, 0)]))),
      1e5,
    ],
  ])('takes less than a second for %s', async (_, json, outcome) => {
    const bytes = file(json, 0);
    const { value: result, ms } = await computing(() => open(bytes).catch((error: Error) => error));
    expect(ms).toBeLessThan(1000);
    if (result instanceof Error)
      expect(result).toMatchObject({
        code: 'bad-weights',
        message: expect.stringMatching(outcome as RegExp),
      });
    else expect(result.tensors.size).toBe(outcome);
  });

  it('does not read what a hostile length claims', async () => {
    const lengths: number[] = [];
    const bytes = file({}, 0, 2n ** 40n);
    const source: ByteSource = {
      name: 'm',
      size: 2 ** 41,
      async read(offset, length) {
        lengths.push(length);
        return bytes.subarray(offset, offset + length);
      },
    };
    await expect(openSafetensors(source)).rejects.toThrow(/no real model needs more/);
    expect(lengths).toEqual([8]);
  });

  it('says which tensor is missing', async () => {
    await expect((await open(file({}, 0))).read('x')).rejects.toThrow('it has no tensor "x"');
  });

  it('survives any bytes: a file or a PreludeError, nothing else', async () => {
    const good = writeSafetensors([{ name: 'a', dtype: 'F32', shape: [2], data: new Uint8Array(8) }], {
      k: 'v',
    });
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(edits, fc.nat(good.length - 1), fc.uint8Array()), async (change) => {
        let bytes = good.slice();
        if (change instanceof Uint8Array) bytes = Uint8Array.from(change);
        else if (typeof change === 'number') bytes = bytes.slice(0, change);
        else for (const [at, value] of change) bytes[at] = value;
        const opened = await open(bytes).catch((error: unknown) => error);
        if (opened instanceof Error) expect(opened).toMatchObject({ code: 'bad-weights' });
      }),
      { numRuns: 500 },
    );
  });
});

describe('writeSafetensors', () => {
  it('starts the data at a multiple of 8 and sorts by width, then name', async () => {
    const tensor = (name: string, dtype: DType, bytes: number): TensorData => ({
      name,
      dtype,
      shape: [1],
      data: new Uint8Array(bytes),
    });
    const bytes = writeSafetensors([tensor('z', 'F16', 2), tensor('b', 'F32', 4), tensor('a', 'F16', 2)]);
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
    expect([...(await open(bytes)).tensors.keys()]).toEqual(['b', 'a', 'z']);
  });

  it('gives back any tensors, whatever their names', async () => {
    const dtype = fc.constantFrom<DType>('F64', 'F32', 'F16', 'BF16', 'U8', 'I64');
    const entry = fc.tuple(dtype, fc.array(fc.nat(4), { maxLength: 4 }), fc.nat(255));
    const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, entry),
        fc.option(fc.dictionary(fc.string(), fc.string())),
        async (dict, metadata) => {
          const tensors = Object.entries(dict).map(([name, [type, shape, fill]]): TensorData => {
            const data = new Uint8Array(byteLengthOf(type, shape) as number).fill(fill);
            return { name, dtype: type, shape, data };
          });
          const opened = await open(writeSafetensors(tensors, metadata ?? undefined));
          expect(opened.tensors.size).toBe(tensors.length);
          expect(opened.metadata).toEqual(metadata ? { ...metadata } : {});
          for (const { name, dtype: type, shape, data } of tensors) {
            expect(opened.tensors.get(name)).toMatchObject({ dtype: type, shape });
            expect(await opened.read(name)).toEqual(data);
          }
        },
      ),
    );
  });

  it('refuses bytes that do not fit the shape, and a name given twice', () => {
    const data = new Uint8Array(4);
    expect(() => writeSafetensors([{ name: 'a', dtype: 'F32', shape: [2], data }])).toThrow(
      /does not take 4 bytes/,
    );
    const a: TensorData = { name: 'a', dtype: 'F32', shape: [1], data };
    expect(() => writeSafetensors([a, a])).toThrow(/name is taken/);
  });
});
