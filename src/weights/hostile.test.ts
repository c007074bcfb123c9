/**
 * Files of weights that lie: each is refused by name within a second of computing, and never is more read than there is.
 * What each reader refuses in particular stands beside it (`gguf.test.ts` and so on); here is what they have in common.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { damaged, endsOrRefuses, refusal, tries, watched } from '../testing/hostile.ts';
import { openGguf } from './gguf.ts';
import { loadModelSources } from './model-folder.ts';
import { openPytorch } from './pytorch.ts';
import { openSafetensors, writeSafetensors } from './safetensors.ts';
import { openSharded } from './sharded.ts';
import { type ByteSource, bytesSource } from './source.ts';
import { gguf, info, join, type Piece, pair, raw, str, u32, u64, writeGguf } from './testing/gguf.ts';
import type { WeightFile } from './types.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const data = (name: string) => new Uint8Array(readFileSync(new URL(`testdata/${name}`, import.meta.url)));

const good = {
  gguf: writeGguf(
    { 'general.architecture': 'llama', 'llama.block_count': 1, 'tokenizer.ggml.tokens': ['a', 'b'] },
    [
      { name: 'a.weight', shape: [4, 8], values: new Float32Array(32).fill(1) },
      { name: 'b.weight', shape: [8], values: new Float32Array(8).fill(2) },
    ],
  ),
  safetensors: writeSafetensors([
    { name: 'a', dtype: 'F32', shape: [2, 2], data: new Uint8Array(16) },
    { name: 'b', dtype: 'F16', shape: [3], data: new Uint8Array(6) },
  ]),
  pytorch: data('state.bin'),
  legacy: data('legacy.bin'),
};
const OPEN: Record<keyof typeof good, (source: ByteSource) => Promise<WeightFile>> = {
  gguf: openGguf,
  safetensors: openSafetensors,
  pytorch: openPytorch,
  legacy: openPytorch,
};
const formats = Object.keys(good) as (keyof typeof good)[];

/** Opens and reads every tensor, each no larger than the file. */
async function readAll(open: (source: ByteSource) => Promise<WeightFile>, bytes: Uint8Array): Promise<void> {
  const { source, seen } = watched(bytes, 'm.weights');
  const opened = open(source);
  // The table of contents may be read again with a larger window, or cut into pieces; a tensor is not read to open.
  await opened.finally(() => expect(seen.bytes).toBeLessThanOrEqual(2 * bytes.length)).catch(() => undefined);
  for (const { name, byteLength } of (await opened).tensors.values()) {
    expect(byteLength).toBeLessThanOrEqual(bytes.length);
    expect((await (await opened).read(name)).byteLength).toBe(byteLength);
  }
}

describe.each(formats)('%s', (format) => {
  const bytes = good[format];

  it('is good to begin with', () => readAll(OPEN[format], bytes));

  it('cut off at any byte is refused', async () => {
    const step = Math.max(1, Math.floor(bytes.length / 1500));
    for (let length = 0; length < bytes.length; length += step) {
      const error = await refusal(() => readAll(OPEN[format], bytes.subarray(0, length)));
      expect(error.code).toBe('bad-weights');
      expect(error.message).toContain('m.weights');
    }
  });

  it('damaged anywhere opens or is refused, and gives no more than it has', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(bytes), (changed) => endsOrRefuses(() => readAll(OPEN[format], changed))),
      tries(400),
    );
  });
});

/** A GGUF file of 16 MB that consists of its table of contents. */
const largeGguf = (parts: Parameters<typeof gguf>[0], unit: Piece, count: number): Uint8Array => {
  const head = gguf({ ...parts, infos: [] }).subarray(0, 24);
  return join([head, ...Array<Piece>(count).fill(unit)]);
};
const array = (type: number, count: number | bigint, ...items: Piece[]) =>
  join([u32(type), u64(count), ...items]);

describe('a hostile GGUF file', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['a name of 2^63 bytes', gguf({ pairs: [join([u64(2n ** 63n), u32(8)])] }), /9223372036854775808 bytes/],
    ['a name of -1 bytes', gguf({ pairs: [join([u64(-1), u32(8), u64(0)])] }), /18446744073709551615 bytes/],
    ['-1 tensors', gguf({ tensorCount: -1 }), /claims 18446744073709551615 tensors/],
    ['a size of -1', gguf({ infos: [info({ dims: [-1] })], data: 64 }), /beyond any file/],
    ['a size of -1 beside 0', gguf({ infos: [info({ dims: [0, -1] })], data: 64 }), /beyond any file/],
    ['an offset of -32', gguf({ infos: [info({ offset: -32 })], data: 64 }), /beyond any file/],
    [
      'a product of 2^64, which is 0 in 64 bits',
      gguf({ infos: [info({ dims: [2 ** 32, 2 ** 32] })], data: 64 }),
      /larger than any file/,
    ],
    [
      'a product that hides behind a 0',
      gguf({ infos: [info({ dims: [0, 2 ** 52, 2 ** 52] })], data: 64 }),
      /larger than any file/,
    ],
    [
      'blocks whose bytes are beyond 2^53',
      gguf({ infos: [info({ dims: [32, 2 ** 50], type: 8 })], data: 64 }),
      /larger than any file/,
    ],
    ['2^32 - 1 dimensions', gguf({ infos: [join([str('a'), u32(2 ** 32 - 1)])], data: 64 }), /dimensions/],
    [
      'the same bytes for two tensors',
      gguf({ infos: [info({}), info({ name: 'b' })], data: 64 }),
      /overlaps tensor "a"/,
    ],
    [
      'a tensor inside of another',
      gguf({ infos: [info({ dims: [64] }), info({ name: 'b', offset: 64 })], data: 256 }),
      /"b": it overlaps/,
    ],
    [
      'a tensor that begins at the end',
      gguf({ infos: [info({ offset: 64 })], data: 64 }),
      /the file has only/,
    ],
    [
      'an offset that the alignment does not have',
      gguf({
        pairs: [pair('general.alignment', 4, u32(64))],
        infos: [info({ offset: 32 })],
        data: 128,
      }),
      /no multiple of the alignment 64/,
    ],
    [
      'an alignment of 2^31',
      gguf({ pairs: [pair('general.alignment', 4, u32(2 ** 31))] }),
      /general.alignment/,
    ],
    [
      'an alignment that is a text',
      gguf({ pairs: [pair('general.alignment', 8, str('32'))] }),
      /general.alignment is 32/,
    ],
    [
      'an array of 2^64 - 1 arrays',
      gguf({ pairs: [pair('k', 9, array(9, 2n ** 64n - 1n))] }),
      /18446744073709551615 elements/,
    ],
    [
      'an array that holds itself many times over',
      gguf({ pairs: [pair('k', 9, join(Array<Piece>(200_000).fill(array(9, 1))))] }),
      /nested too deep/,
    ],
    [
      'a million pairs',
      largeGguf({ pairCount: 1e6 }, pair('k', 0, Uint8Array.of(1)), 1e6),
      /1000000 metadata/,
    ],
    ['half a million tensors', largeGguf({ tensorCount: 5e5 }, info({}), 5e5), /claims 500000 tensors/],
    [
      'a name of 10 MB for each of its tensors',
      gguf({ infos: [info({ name: 'x'.repeat(1e7) }), info({ name: 'x'.repeat(1e7) })], data: 64 }),
      /twice/,
    ],
  ])('with %s', async (_, bytes, message) => {
    const error = await refusal(() => readAll(openGguf, bytes));
    expect(error).toMatchObject({ code: 'bad-weights', message: expect.stringMatching(message) });
    expect(error.where).toContain('m.weights');
  });
});

describe('a hostile checkpoint of PyTorch', () => {
  it('with a file for each of 30,000 storages is refused before the first is looked at', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 30_000 }, (_, i) => [`m/data/${i}`, new Uint8Array(0)]),
    );
    const { source, seen } = watched(zipSync(files, { level: 0 }), 'm.bin');
    expect((await refusal(() => openPytorch(source))).message).toMatch(/30000 files/);
    expect(seen.reads).toBeLessThan(5);
  });

  it('with a file there twice is refused', async () => {
    const twice = zipSync({ 'm/data.pkl': new Uint8Array(8), 'm/data.pkx': new Uint8Array(8) }, { level: 0 });
    const text = Buffer.from(twice).toString('latin1').replaceAll('m/data.pkx', 'm/data.pkl');
    const error = await refusal(() => openPytorch(bytesSource(Buffer.from(text, 'latin1'), 'm.bin')));
    expect(error.message).toMatch(/"m\/data.pkl" inside: it is there twice/);
  });
});

describe('a hostile index of shards', () => {
  const shard = good.safetensors;
  const open = (json: unknown) =>
    openSharded(json, 'model.safetensors.index.json', (file) =>
      file === 's.safetensors' ? bytesSource(shard, file) : undefined,
    );

  it.each<[string, unknown, RegExp]>([
    ['null', null, /no "weight_map"/],
    ['a map that is a text', { weight_map: 's.safetensors' }, /no "weight_map"/],
    ['a name with a path', { weight_map: { a: '..\\s.safetensors' } }, /is no .safetensors/],
    ['an address', { weight_map: { a: 'https://x/s.safetensors' } }, /is no .safetensors/],
    ['the prototype for a file', { weight_map: { a: '__proto__' } }, /is no .safetensors/],
    ['a list for a file', { weight_map: { a: ['s.safetensors'] } }, /is no .safetensors/],
    ['the name of an object’s own', JSON.parse('{"weight_map":{"__proto__":"s.safetensors"}}'), /__proto__/],
  ])('with %s', async (_, json, message) => {
    expect((await refusal(() => open(json))).message).toMatch(message);
  });

  it('changed anywhere opens or is refused', async () => {
    const json = utf8(
      '{"metadata":{"total_size":22},"weight_map":{"a":"s.safetensors","b":"s.safetensors"}}',
    );
    const files = (index: Uint8Array) => [
      bytesSource(utf8('{"model_type":"t5"}'), 'config.json'),
      bytesSource(utf8('{}'), 'tokenizer.json'),
      bytesSource(index, 'model.safetensors.index.json'),
      bytesSource(shard, 's.safetensors'),
    ];
    expect((await loadModelSources(files(json), 'm')).weights.tensors.size).toBe(2);
    await fc.assert(
      fc.asyncProperty(damaged(json), (changed) =>
        endsOrRefuses(() => loadModelSources(files(changed), 'm')),
      ),
      tries(300),
    );
  });
});

describe('the small files of a model folder', () => {
  const folder = (name: string, bytes: Uint8Array, size = bytes.length): ByteSource[] =>
    [
      bytesSource(utf8('{"model_type":"t5"}'), 'config.json'),
      bytesSource(utf8('{}'), 'tokenizer.json'),
      bytesSource(good.safetensors, 'model.safetensors'),
    ]
      .filter(
        (source) => source.name !== name && !(name === 'spiece.model' && source.name === 'tokenizer.json'),
      )
      .concat({ ...bytesSource(bytes, name), size });
  const many = (unit: string, count: number) => utf8(`[${unit.repeat(count)}1]`);

  it.each<[string, string, Uint8Array, RegExp]>([
    ['brackets without end', 'config.json', utf8('['.repeat(3e7)), /nested more than 64 deep/],
    ['objects in objects', 'config.json', utf8('{"a":'.repeat(1e6)), /nested more than 64 deep/],
    ['millions of lists', 'tokenizer.json', many('[],', 1e7), /more than 1048576 lists/],
    ['millions of numbers', 'tokenizer_config.json', many('1,', 1e7), /more than 2097152 values/],
    ['millions of keys', 'generation_config.json', many('{"a":1},', 3e6), /more than 1048576 lists/],
    ['a text without end', 'config.json', utf8(`{"a":"${'\\"'.repeat(1e7)}`), /no valid JSON/],
    ['bytes that are no text', 'tokenizer.json', new Uint8Array(1e7).fill(0xff), /no valid JSON/],
    ['nothing', 'config.json', new Uint8Array(0), /no valid JSON/],
  ])('%s: %s', async (_, name, bytes, message) => {
    const error = await refusal(() => loadModelSources(folder(name, bytes), 'm'));
    expect(error.message).toMatch(message);
    expect(error.where).toBe(name);
  });

  it.each(['config.json', 'tokenizer.json', 'spiece.model', 'tokenizer_config.json'])(
    'a %s of 4 GB is not read',
    async (name) => {
      const error = await refusal(() => loadModelSources(folder(name, new Uint8Array(9), 2 ** 32), 'm'));
      expect(error.message).toMatch(/4294967296 bytes/);
      expect(error.where).toBe(name);
    },
  );
});

it('a file on a disk that says it is larger than it is gives no wrong tensor', async () => {
  const bytes = good.gguf;
  const lying: ByteSource = { ...bytesSource(bytes, 'm.gguf'), size: bytes.length + 2 ** 40 };
  const opened = await openGguf(lying).catch((error: unknown) => error);
  expect(opened).toMatchObject({ code: 'bad-weights' });
});

it('raw text is no file of any format', async () => {
  for (const format of formats) await refusal(() => OPEN[format](bytesSource(raw('text,label\na,b\n'), 'm')));
});
