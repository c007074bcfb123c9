/** Files of prompts that lie: the forms that Prelude reads, one by one, damaged, cut off, and larger than they say. */
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { damaged, endsOrRefuses, refusal, tries } from '../testing/hostile.ts';
import { writeSafetensors } from '../weights/index.ts';
import { importPrompt, importPromptFiles } from './import.ts';
import { exportJson } from './json.ts';
import { exportNpy } from './npy.ts';
import { adapterFiles, exportPeft } from './peft.ts';
import { samplePrompt, testdata } from './testing.ts';

const prompt = samplePrompt();
const utf8 = (text: string) => new TextEncoder().encode(text);
const read = (data: Uint8Array) => importPrompt({ name: 'a prompt', data: Uint8Array.from(data) });
const config = (more: object) =>
  utf8(
    JSON.stringify({ peft_type: 'PROMPT_TUNING', num_virtual_tokens: 2, task_type: 'SEQ_2_SEQ_LM', ...more }),
  );
const tensors = adapterFiles(prompt).find(({ name }) => name.endsWith('.safetensors'))!.bytes;
const folder = (configBytes: Uint8Array, weights: Uint8Array = tensors) =>
  importPromptFiles([
    { name: 'a/adapter_config.json', data: Uint8Array.from(configBytes) },
    { name: 'a/adapter_model.safetensors', data: Uint8Array.from(weights) },
  ]);

const FORMS: [name: string, file: Uint8Array][] = [
  ['a PEFT zip', exportPeft(prompt)],
  ['.npy', exportNpy(prompt)],
  ['JSON', utf8(exportJson(prompt).trimEnd())],
  ['the tensors of an adapter', testdata('t5-v1.1-prompt/adapter_model.safetensors')],
];

describe.each(FORMS)('%s', (_, good) => {
  test('cut off at any byte is refused, damaged anywhere opens or is refused', async () => {
    await read(good);
    for (let length = 0; length < good.length; length += Math.ceil(good.length / 300))
      expect((await refusal(() => read(good.slice(0, length)))).code).toBe('bad-prompt');
    await fc.assert(
      fc.asyncProperty(damaged(good), (bytes) => endsOrRefuses(() => read(bytes))),
      tries(300),
    );
  });
});

/** A zip with one field of the central directory of its first file set. */
function zipWith(at: number, value: number): Uint8Array {
  const zip = exportPeft(prompt);
  const view = new DataView(zip.buffer);
  const directory = view.getUint32(zip.length - 6, true);
  view.setUint32(directory + at, value, true);
  return zip;
}

test.each<[string, Uint8Array, RegExp]>([
  ['brackets without end', utf8(`{"a":${'['.repeat(3e7)}`), /nested more than 64 deep/],
  ['millions of lists', utf8(`{"a":[${'[],'.repeat(1e7)}1]}`), /more than 1048576 lists/],
  [
    'a .npy header of 65,535 bytes',
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 255, 255),
    /claims 65535/,
  ],
  [
    'a .npy header of 4 GiB',
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255),
    /claims 4294967295/,
  ],
  ['a zip entry of 4 GiB', zipWith(24, 0xfffffffe), /cut off|claims to unpack|damaged/],
  ['a zip entry that begins behind the zip', zipWith(42, 0xfffffff0), /cut off|damaged/],
  ['a zip entry that begins in another', zipWith(42, 3), /cut off|damaged/],
  ['a table of contents at 4 GiB', exportPeft(prompt).fill(0xfe, -6, -2), /breaks off/],
  [
    'thirty thousand entries without a prompt',
    zipSync(Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`f${i}`, new Uint8Array(0)])), {
      level: 0,
    }),
    /no adapter_model.safetensors/,
  ],
  [
    'a bomb of 20 MB',
    zipSync({ 'adapter_model.safetensors': new Uint8Array(2e7), 'adapter_config.json': config({}) }),
    /adapter_model.safetensors/,
  ],
])('%s is refused', async (_, bytes, message) => {
  const error = await refusal(() => read(bytes));
  expect(error).toMatchObject({ code: 'bad-prompt', message: expect.stringMatching(message) });
  expect(error.where).toContain('a prompt');
});

describe('an adapter folder', () => {
  test('is good to begin with', async () => expect((await folder(config({}))).length).toBe(2));

  test.each<[string, object, RegExp]>([
    ['-2 virtual tokens', { num_virtual_tokens: -2 }, /num_virtual_tokens/],
    ['2^53 virtual tokens', { num_virtual_tokens: 2 ** 53 }, /9007199254740992 virtual tokens/],
    ['half a virtual token', { num_virtual_tokens: 0.5 }, /num_virtual_tokens/],
    ['2^31 submodules', { num_transformer_submodules: 2 ** 31, num_virtual_tokens: 1 }, /times 2147483648/],
    ['a width of another model', { token_dim: 2 ** 40 }, /token_dim 1099511627776/],
    ['a type of a megabyte', { peft_type: 'X'.repeat(1e6) }, /the adapter's type is X{40};/i],
  ])('of %s is refused', async (_, more, message) => {
    expect((await refusal(() => folder(config(more)))).message).toMatch(message);
  });

  test('with a tensor larger than any prompt is refused by its table of contents', async () => {
    const shape = [2 ** 15, 2 ** 10];
    const whole = writeSafetensors([
      { name: 'prompt_embeddings', dtype: 'BF16', shape, data: new Uint8Array(2 ** 26) },
    ]);
    expect((await refusal(() => folder(config({}), whole))).message).toMatch(
      /bytes; prompts end at|larger than any/,
    );
  });

  test('with junk for any key opens or is refused', async () => {
    const keys = [
      'peft_type',
      'num_virtual_tokens',
      'task_type',
      'token_dim',
      'modules_to_save',
      'base_model_name_or_path',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 }), (key, value) =>
        endsOrRefuses(() => folder(config({ [key]: value }))),
      ),
      tries(300),
    );
  });
});
