import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { importPrompt, importPromptFiles } from './import.ts';
import { exportJson } from './json.ts';
import { exportNpy } from './npy.ts';
import { exportPeft } from './peft.ts';
import { bitsOf, failure, samplePrompt, testdata } from './testing.ts';

const prompt = samplePrompt();
const json = new TextEncoder().encode(exportJson(prompt));
const read = (data: Uint8Array, name = 'film reviews.txt') => importPrompt({ name, data });

describe('content decides, not the extension', () => {
  test.each([
    ['peft', exportPeft(prompt)],
    ['npy', exportNpy(prompt)],
    ['json', json],
  ] as const)('%s', async (source, data) => {
    for (const name of ['a.npy', 'b.json', 'c.zip', 'd']) {
      const got = await read(data, name);
      expect(got.source).toBe(source);
      expect(bitsOf(got.values)).toEqual(bitsOf(prompt.values));
    }
  });

  test('a .npy knows neither model nor task and is called as its file', async () => {
    const got = await read(exportNpy(prompt), 'sst2/film reviews.npy');
    expect(got).toMatchObject({
      name: 'film reviews',
      model: {},
      unknown: ['model', 'task', 'recipe', 'metrics'],
    });
  });
});

describe('zips by other hands', () => {
  test.each(['stored', 'nested'])('%s', async (name) => {
    const got = await read(testdata(`zip/${name}.zip`));
    expect([got.length, got.width, got.model.name]).toEqual([5, 40, 'models/t5-v1.1']);
  });

  test('prelude.json alone is enough', async () => {
    expect((await read(zipSync({ 'x/prelude.json': json }))).source).toBe('json');
  });

  test.each([
    ['two', 'several prompts: a/adapter_model.safetensors, b/'],
    ['traversal', 'no adapter_model.safetensors and no other file'],
    ['lzma', 'compression method 14'],
    ['bomb', 'claims to unpack to 68157440 bytes'],
  ])('refuses %s', async (name, what) => {
    const error = await failure(() => read(testdata(`zip/${name}.zip`)));
    expect(error.code).toBe('bad-prompt');
    expect(error.message).toContain(what);
  });

  test('refuses an entry that unpacks to more than it declares', async () => {
    const zip = zipSync({
      'adapter_model.safetensors': new Uint8Array(8_000_000),
      'adapter_config.json': json,
    });
    // The size in the central directory: 24 bytes into its first record.
    const at = zip.findIndex(
      (_, i) => zip[i] === 0x50 && zip[i + 1] === 0x4b && zip[i + 2] === 1 && zip[i + 3] === 2,
    );
    new DataView(zip.buffer).setUint32(at + 24, 100, true);
    expect((await failure(() => read(zip))).message).toContain('cut off or damaged');
  });

  test('refuses the same path twice, encryption, and folders without their config', async () => {
    const twice = new TextDecoder('latin1')
      .decode(zipSync({ 'prelude.json': json, 'prelude.jsox': json }))
      .replaceAll('prelude.jsox', 'prelude.json');
    const bytes = Uint8Array.from(twice, (c) => c.charCodeAt(0));
    expect((await failure(() => read(bytes))).message).toContain('"prelude.json" twice');
    const locked = zipSync({ 'prelude.json': json });
    const at = locked.findIndex(
      (_, i) => locked[i] === 0x50 && locked[i + 1] === 0x4b && locked[i + 2] === 1,
    );
    locked[at + 8]! |= 1;
    expect((await failure(() => read(locked))).message).toContain('encrypted');
    const weights = testdata('t5-v1.1-prompt/adapter_model.safetensors');
    const bare = zipSync({ 'adapter_model.safetensors': weights });
    expect((await failure(() => read(bare))).message).toContain('without the adapter_config.json');
    const torch = zipSync({ 'archive/data.pkl': weights });
    expect((await failure(() => read(torch))).message).toContain('pickle');
  });

  test('a flipped bit or a cut is seen', async () => {
    const whole = exportPeft(prompt);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
        const flipped = whole.slice();
        flipped[at]! ^= 1 << bit;
        // A flip in a field that nothing depends on (a time, the README) may pass; another prompt may not come of it.
        const got = await read(flipped).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'bad-prompt' });
          return undefined;
        });
        if (got) expect(bitsOf(got.values)).toEqual(bitsOf(prompt.values));
      }),
      { numRuns: 400 },
    );
    for (let n = 0; n < whole.length; n += 13)
      expect((await failure(() => read(whole.slice(0, n)))).code).toBe('bad-prompt');
  });
});

describe('what is no prompt', () => {
  test.each([
    ['an empty file', new Uint8Array(0), 'empty'],
    ['text', new TextEncoder().encode('text,label\na,b'), 'no prompt file'],
    ['a pickle', Uint8Array.of(0x80, 2, 0x7d), 'pickle'],
    [
      'a cut safetensors file',
      testdata('t5-v1.1-prompt/adapter_model.safetensors').slice(0, 500),
      'ends at byte',
    ],
  ])('%s', async (_, data, what) => {
    const error = await failure(() => read(data));
    expect(error.code).toBe('bad-prompt');
    expect(error.message).toContain(what);
    expect(error.message).toContain('film reviews.txt');
  });

  test('a file above the limit is not even read', async () => {
    const big = new Blob([]);
    Object.defineProperty(big, 'size', { value: 1e9 });
    big.arrayBuffer = () => Promise.reject(new Error('was read'));
    expect((await failure(() => importPrompt({ name: 'model.bin', data: big }))).message).toContain(
      '1000000000 bytes',
    );
  });

  test('no bytes make it fail in another way', async () => {
    const heads = [
      [],
      [0x50, 0x4b, 3, 4],
      [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0],
      [0x7b],
      [9, 0, 0, 0, 0, 0, 0, 0, 0x7b],
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 300 }), async (head, tail) => {
        const error = await failure(() => read(Uint8Array.of(...head, ...tail)));
        expect(error.code).toBe('bad-prompt');
      }),
      { numRuns: 500 },
    );
  });

  test('several files that do not go together', async () => {
    const two = [prompt, prompt].map((p, i) => ({ name: `${i}.npy`, data: exportNpy(p) }));
    expect((await failure(() => importPromptFiles(two))).message).toContain('2 files were chosen');
    expect((await failure(() => importPromptFiles([]))).message).toContain('Nothing was chosen');
  });
});
