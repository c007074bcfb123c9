import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal } from '../testing/hostile.ts';
import { toFloat32 } from './decode.ts';
import { openGguf } from './gguf.ts';
import { bytesSource } from './source.ts';
import { f32, f64, gguf, info, join, little, type Piece, raw, str, u32, u64 } from './testing/gguf.ts';

const open = (bytes: Uint8Array) => openGguf(bytesSource(bytes, 'm.gguf'));

describe('openGguf', () => {
  it('reads a file of the reference implementation', async () => {
    const opened = await open(readFileSync(new URL('testdata/tiny-f32.gguf', import.meta.url)));
    expect(opened.metadata['general.architecture']).toBe('llama');
    expect(opened.metadata['tokenizer.ggml.model']).toBe('gpt2');
    const tokens = opened.metadata['tokenizer.ggml.tokens'] as string[];
    const embedding = opened.tensors.get('token_embd.weight')!;
    // Outermost first: one row of the table for each token.
    expect(embedding.shape).toEqual([tokens.length, opened.metadata['llama.embedding_length']]);
    for (const [name, { dtype, shape }] of opened.tensors) {
      const values = toFloat32(await opened.read(name), dtype);
      expect(values.length).toBe(shape.reduce((a, b) => a * b, 1));
      expect(values.every(Number.isFinite)).toBe(true);
      expect(values.some((value) => value !== 0)).toBe(true);
    }
  });

  it('reads every type of metadata', async () => {
    const pair = (key: string, type: number, value: Piece) => join([str(key), u32(type), value]);
    const opened = await open(
      gguf({
        pairs: [
          pair('u8', 0, little(1, 255)),
          pair('i8', 1, little(1, -2)),
          pair('u16', 2, little(2, 65535)),
          pair('i16', 3, little(2, -3)),
          pair('u32', 4, u32(4294967295)),
          pair('i32', 5, little(4, -4)),
          pair('f32', 6, f32(1.5)),
          pair('bool', 7, little(1, 1)),
          pair('string', 8, str('größe')),
          pair('array', 9, join([u32(8), u64(2), str('a'), str('')])),
          pair('nested', 9, join([u32(9), u64(1), u32(0), u64(2), little(2, 0x0201)])),
          pair('u64', 10, u64(2n ** 63n)),
          pair('i64', 11, u64(-5)),
          pair('f64', 12, f64(0.1)),
        ],
      }),
    );
    expect(opened.metadata).toEqual({
      u8: 255,
      i8: -2,
      u16: 65535,
      i16: -3,
      u32: 4294967295,
      i32: -4,
      f32: 1.5,
      bool: true,
      string: 'größe',
      array: ['a', ''],
      nested: [[1, 2]],
      u64: 2n ** 63n,
      i64: -5,
      f64: 0.1,
    });
  });

  it('turns shapes round, finds blocks, and keeps to general.alignment', async () => {
    const alignment = join([str('general.alignment'), u32(4), u32(64)]);
    const infos = [info({ name: 'q', dims: [64, 3], type: 2 }), info({ name: 'f', dims: [2], offset: 128 })];
    const head = gguf({ pairs: [alignment], infos });
    const unpadded = 24 + alignment.length + infos[0]!.length + infos[1]!.length;
    const start = Math.ceil(unpadded / 64) * 64;
    const bytes = new Uint8Array(start + 136);
    bytes.set(head.subarray(0, unpadded));
    const opened = await open(bytes);
    expect(opened.tensors.get('q')).toMatchObject({
      dtype: 'Q4_0',
      shape: [3, 64],
      byteOffset: start,
      byteLength: 108,
    });
    expect(opened.tensors.get('f')).toMatchObject({ dtype: 'F32', shape: [2], byteOffset: start + 128 });
  });

  it('reads a table of contents longer than the first window', async () => {
    const long = join([str('long'), u32(8), u64(3 * 2 ** 20)]);
    const text = new Uint8Array(3 * 2 ** 20).fill(0x61);
    const head = [raw('GGUF'), u32(3), u64(0), u64(1), long];
    const bytes = new Uint8Array(24 + long.length + text.length);
    bytes.set(join(head));
    bytes.set(text, 24 + long.length);
    expect((await open(bytes)).metadata.long).toHaveLength(3 * 2 ** 20);
  });

  const key = (type: number, value: Piece) => [join([str('k'), u32(type), value])];
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /ends after 0 bytes, in the middle of its header/],
    ['another magic', gguf({ magic: 'GGML' }), /does not begin with "GGUF"/],
    ['version 1', gguf({ version: 1 }), /GGUF version 1/],
    ['the other byte order', gguf({ version: 0x03000000 }), /big-endian/],
    ['more tensors than fit', gguf({ tensorCount: 2n ** 60n }), /claims 1152921504606846976 tensors/],
    [
      'more pairs than fit',
      gguf({ pairCount: 2n ** 64n - 1n }),
      /claims 18446744073709551615 metadata pairs/,
    ],
    [
      'a string longer than the file',
      gguf({ pairs: [join([u64(2 ** 40), u32(8), u64(0)])] }),
      /1099511627776 bytes of text/,
    ],
    [
      'a string that is no UTF-8',
      gguf({ pairs: key(8, join([u64(1), Uint8Array.of(255)])) }),
      /no valid UTF-8/,
    ],
    [
      'an array longer than the file',
      gguf({ pairs: key(9, join([u32(10), u64(2 ** 50)])) }),
      /elements of an array/,
    ],
    [
      'arrays in arrays in arrays',
      gguf({ pairs: key(9, join(Array(9).fill(join([u32(9), u64(1)])))) }),
      /nested too deep/,
    ],
    [
      'an array of nothing known',
      gguf({ pairs: key(9, join([u32(77), u64(1)])), data: 64 }),
      /no metadata type 77/,
    ],
    ['a value of nothing known', gguf({ pairs: key(13, u64(0)) }), /no metadata type 13/],
    ['a truth value of 2', gguf({ pairs: key(7, join([little(1, 2), u64(0)])) }), /truth value is 2/],
    [
      'a key given twice',
      gguf({ pairs: [...key(0, little(1, 1)), ...key(0, little(1, 1))] }),
      /name "k" twice/,
    ],
    [
      'an alignment of 0',
      gguf({ pairs: [join([str('general.alignment'), u32(4), u32(0)])] }),
      /general.alignment is 0/,
    ],
    [
      'an alignment of 24',
      gguf({ pairs: [join([str('general.alignment'), u32(4), u32(24)])] }),
      /general.alignment is 24/,
    ],
    ['a tensor given twice', gguf({ infos: [info({}), info({ offset: 32 })], data: 64 }), /tensor "a" twice/],
    ['nine dimensions', gguf({ infos: [info({ dims: Array(9).fill(1) })], data: 4 }), /9 dimensions/],
    [
      'a type that is not read, by its name',
      gguf({ infos: [info({ type: 16, dims: [256] })], data: 66 }),
      /IQ2_XXS/,
    ],
    ['a type nobody knows', gguf({ infos: [info({ type: 999 })], data: 8 }), /ggml type 999/],
    [
      'a size of 2^63',
      gguf({ infos: [info({ dims: [2n ** 63n] })] }),
      /9223372036854775808, beyond any file/,
    ],
    ['a product beyond 2^53', gguf({ infos: [info({ dims: [2 ** 40, 2 ** 40] })] }), /larger than any file/],
    [
      'rows that are no whole blocks',
      gguf({ infos: [info({ dims: [33], type: 2 })], data: 36 }),
      /no whole number of Q4_0/,
    ],
    [
      'an offset off the alignment',
      gguf({ infos: [info({ offset: 4 })], data: 64 }),
      /no multiple of the alignment/,
    ],
    [
      'an offset of 2^64 - 32',
      gguf({ infos: [info({ offset: 2n ** 64n - 32n })], data: 8 }),
      /beyond any file/,
    ],
    ['a tensor beyond the end', gguf({ infos: [info({ dims: [100] })], data: 8 }), /the file has only/],
    [
      'overlapping tensors',
      gguf({ infos: [info({ dims: [16] }), info({ name: 'b', offset: 32 })], data: 64 }),
      /"b": it overlaps tensor "a"/,
    ],
    [
      'a file that ends among the infos',
      gguf({ infos: [info({ dims: [1, 1, 1, 1] })], data: 16 }).slice(0, 70),
      /ends after 70 bytes, in the middle of the info of tensor 1 of 1/,
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toMatchObject({
      code: 'bad-weights',
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, number, number]>([
    ['bytes', 0, 1],
    ['empty strings', 8, 8],
    ['empty arrays', 9, 12],
  ])('refuses millions of %s in less than a second', async (_, type, width) => {
    const head = join([
      raw('GGUF'),
      u32(3),
      u64(0),
      u64(1),
      str('k'),
      u32(9),
      u32(type),
      u64(Math.floor(30e6 / width)),
    ]);
    const bytes = new Uint8Array(head.length + 30_000_000);
    bytes.set(head);
    expect((await refusal(() => open(bytes))).message).toMatch(/more than 2097152 elements/);
  });

  it('refuses a table of contents of 40 MB', async () => {
    const head = join([raw('GGUF'), u32(3), u64(0), u64(1), str('k'), u32(8), u64(40e6)]);
    const bytes = new Uint8Array(head.length + 40_000_000);
    bytes.set(head);
    await expect(open(bytes)).rejects.toThrow(/longer than 33554432 bytes/);
  });

  it('survives any bytes: a file or a PreludeError, nothing else', async () => {
    const good = gguf({
      pairs: [join([str('k'), u32(9), u32(8), u64(2), str('x'), str('yz')])],
      infos: [info({ dims: [32, 2], type: 8 }), info({ name: 'b', offset: 96 })],
      data: 104,
    });
    expect((await open(good)).tensors.size).toBe(2);
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(edits, fc.nat(good.length - 1)), async (change) => {
        let bytes = good.slice();
        if (typeof change === 'number') bytes = bytes.slice(0, change);
        else for (const [at, value] of change) bytes[at] = value;
        const opened = await open(bytes).catch((error: unknown) => error);
        if (opened instanceof Error) expect(opened).toMatchObject({ code: 'bad-weights' });
      }),
      { numRuns: 1000 },
    );
  });
});
