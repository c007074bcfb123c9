import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusal } from '../testing/hostile.ts';
import { fingerprintOf, sha256 } from './fingerprint.ts';
import { loadModelFolder } from './model-folder.ts';
import { openSafetensors, type TensorData, writeSafetensors } from './safetensors.ts';
import { openSharded } from './sharded.ts';
import { bytesSource } from './source.ts';

const tensor = (name: string, fill: number): TensorData => ({
  name,
  dtype: 'F16',
  shape: [2, 3],
  data: new Uint8Array(12).fill(fill),
});
const [a, b, c] = [tensor('a', 1), tensor('b', 2), tensor('c', 3)];
const single = writeSafetensors([a, b, c], { format: 'pt' });
const shard1 = writeSafetensors([c]);
const shard2 = writeSafetensors([b, a, tensor('left out', 9)]);
const index = { metadata: {}, weight_map: { a: 's2.safetensors', b: 's2.safetensors', c: 's1.safetensors' } };
const shards = new Map([
  ['s1.safetensors', bytesSource(shard1, 's1.safetensors')],
  ['s2.safetensors', bytesSource(shard2, 's2.safetensors')],
]);
const open = (bytes: Uint8Array) => openSafetensors(bytesSource(bytes));

const many = (file: (i: number) => string) =>
  Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`t${i}`, file(i)]));

describe('openSharded', () => {
  it('finds each tensor in its file', async () => {
    const weights = await openSharded(index, 'index', (name) => shards.get(name));
    expect([...weights.tensors.keys()]).toEqual(['a', 'b', 'c']);
    for (const { name, data } of [a, b, c]) expect(await weights.read(name)).toEqual(data);
    await expect(weights.read('left out')).rejects.toMatchObject({ code: 'bad-weights' });
  });

  it.each<[string, unknown, RegExp]>([
    ['no index', [], /no "weight_map"/],
    ['a map that is a list', { weight_map: [] }, /no "weight_map"/],
    ['a file outside of the folder', { weight_map: { a: '../s1.safetensors' } }, /no \.safetensors or \.bin/],
    ['a number for a file', { weight_map: { a: 1 } }, /its file is 1/],
    [
      'a file that is missing',
      { weight_map: { a: 's3.safetensors' } },
      /"s3\.safetensors", which is not there/,
    ],
    ['a tensor that is not in its file', { weight_map: { a: 's1.safetensors' } }, /says it is in this file/],
    [
      'an index of itself',
      { weight_map: { a: 'model.safetensors.index.json' } },
      /no \.safetensors or \.bin/,
    ],
    ['no tensors at all', { weight_map: {} }, /names no tensors/],
    ['a shard for every tensor', { weight_map: many((i) => `s${i}.safetensors`) }, /names 200000 files/],
    [
      'tensors without end in one file',
      { weight_map: many(() => 's1.safetensors') },
      /says it is in this file/,
    ],
  ])('refuses %s, at once', async (_, json, message) => {
    const error = await refusal(() => openSharded(json, 'index', (name) => shards.get(name)));
    expect(error).toMatchObject({ code: 'bad-weights', message: expect.stringMatching(message) });
  });
});

describe('fingerprintOf', () => {
  it('does not depend on layout, files or metadata', async () => {
    const print = await fingerprintOf(await open(single));
    expect(print).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprintOf(await open(writeSafetensors([c, a, b])))).toBe(print);
    expect(await fingerprintOf(await openSharded(index, 'index', (name) => shards.get(name)))).toBe(print);
  });

  it('is what its description says', async () => {
    const line = `["a","F16",[2,3]] ${await sha256(a.data)}\n`;
    const expected = await sha256(new TextEncoder().encode(line));
    expect(await fingerprintOf(await open(writeSafetensors([a])))).toBe(expected);
  });

  it('changes with a value, a name, a shape and a dtype', async () => {
    const prints = await Promise.all(
      [a, tensor('a', 4), tensor('x', 1), { ...a, shape: [3, 2] }, { ...a, dtype: 'BF16' as const }].map(
        async (one) => fingerprintOf(await open(writeSafetensors([one]))),
      ),
    );
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('hashes tensors of several chunks', async () => {
    const data = new Uint8Array(9 * 2 ** 20);
    const big = (): TensorData => ({ name: 'big', dtype: 'U8', shape: [data.length], data });
    const before = await fingerprintOf(await open(writeSafetensors([big()])));
    data[data.length - 1] = 1;
    expect(await fingerprintOf(await open(writeSafetensors([big()])))).not.toBe(before);
  });
});

describe('fingerprintOf of large weights', () => {
  const width = 2 ** 20;
  const tensors = (): TensorData[] =>
    Array.from({ length: 65 }, (_, i) => ({
      name: `t${i}`,
      dtype: 'U8',
      shape: [width],
      data: new Uint8Array(width).fill(i),
    }));

  it('reads samples only, and sees another tensor', async () => {
    const bytes = writeSafetensors(tensors());
    let read = 0;
    const source = bytesSource(bytes);
    const weights = await openSafetensors({
      ...source,
      read: (offset, length) => {
        read += length;
        return source.read(offset, length);
      },
    });
    const print = await fingerprintOf(weights);
    expect(read).toBeLessThan(65 * 4 * 16_384 + 100_000);
    // Without pieces the tensors are read whole, for the same name.
    expect(await fingerprintOf({ ...weights, readPart: undefined })).toBe(print);
    bytes[bytes.length - 1]! ^= 1;
    expect(await fingerprintOf(weights)).not.toBe(print);
  });
});

describe('sha256', () => {
  it('is that of FIPS 180-2', async () => {
    expect(await sha256(new TextEncoder().encode('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});

describe('loadModelFolder', () => {
  const file = (name: string, data: BlobPart) => new File([data], name);
  const config = file('config.json', '{"model_type":"t5"}');
  const tokenizer = file('tokenizer.json', '{"model":{}}');
  const weights = file('model.safetensors', single);

  it('opens a folder with one file of weights', async () => {
    const model = await loadModelFolder([config, tokenizer, weights]);
    expect(model).toMatchObject({
      name: 'model',
      config: { model_type: 't5' },
      tokenizerJson: { model: {} },
      tokenizerConfigJson: undefined,
      fingerprint: await fingerprintOf(await open(single)),
    });
    expect(await model.weights.read('b')).toEqual(b.data);
  });

  it('opens a sharded folder', async () => {
    const sharded = [
      file('model.safetensors.index.json', JSON.stringify(index)),
      file('s1.safetensors', shard1),
      file('s2.safetensors', shard2),
    ];
    const model = await loadModelFolder([config, tokenizer, ...sharded]);
    expect(model.fingerprint).toBe(await fingerprintOf(await open(single)));
  });

  const bin = (name: string) =>
    file(
      name,
      readFileSync(new URL(`testdata/${name === 'pytorch_model.bin' ? 'state.bin' : name}`, import.meta.url)),
    );

  it('opens a folder with a PyTorch checkpoint and spiece.model, single or sharded', async () => {
    const spiece = file('spiece.model', 'pieces');
    const one = await loadModelFolder([
      config,
      spiece,
      bin('pytorch_model.bin'),
      file('training_args.bin', 'x'),
    ]);
    expect(one.weights.format).toBe('pytorch');
    expect(one.tokenizerJson).toBeUndefined();
    expect(new TextDecoder().decode(one.sentencePiece)).toBe('pieces');
    const shards = [1, 2].map((i) => bin(`pytorch_model-0000${i}-of-00002.bin`));
    const many = await loadModelFolder([
      config,
      tokenizer,
      spiece,
      bin('pytorch_model.bin.index.json'),
      ...shards,
    ]);
    expect(many.sentencePiece).toBeUndefined();
    expect(many.fingerprint).toBe(one.fingerprint);
  });

  it('prefers safetensors, and what lies beside the config', async () => {
    const at = (path: string, content: BlobPart) =>
      Object.defineProperty(file(path.split('/').at(-1)!, content), 'webkitRelativePath', { value: path });
    const model = await loadModelFolder([
      at('mine/onnx/model.safetensors', 'x'),
      at('mine/config.json', '{"model_type":"t5"}'),
      at('mine/tokenizer.json', '{"model":{}}'),
      at('mine/model.safetensors', single),
      at('mine/pytorch_model.bin', 'x'),
      at('mine/checkpoint-5/config.json', '{}'),
    ]);
    expect(model).toMatchObject({ name: 'mine', config: { model_type: 't5' } });
    expect(model.weights.format).toBe('safetensors');
  });

  it.each<[string, File[], string, RegExp]>([
    [
      'without a config',
      [tokenizer, weights],
      'bad-config',
      /no config\.json among the files \(tokenizer\.json, model/,
    ],
    ['without a tokenizer', [config, weights], 'bad-tokenizer', /no tokenizer\.json or spiece\.model/],
    ['without weights', [config, tokenizer], 'bad-weights', /no model\.safetensors/],
    ['of nothing', [], 'bad-config', /nothing/],
    [
      'with a broken config',
      [file('config.json', '{'), tokenizer, weights],
      'bad-config',
      /config\.json: this is no valid JSON/,
    ],
    [
      'with truncated weights',
      [config, tokenizer, file('model.safetensors', single.slice(0, -3))],
      'bad-weights',
      /bytes of data/,
    ],
  ])('refuses a folder %s', async (_, files, code, message) => {
    await expect(loadModelFolder(files)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
