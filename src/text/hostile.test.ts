/** Tokenizers that lie: `spiece.model`, `tokenizer.json` and the one inside of a GGUF file. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computing, damaged, endsOrRefuses, refusal, tries } from '../testing/hostile.ts';
import { ggufTokenizer } from './gguf.ts';
import { spieceTokenizer } from './spiece.ts';
import { loadTokenizer } from './tokenizer.ts';

const data = (name: string) => new Uint8Array(readFileSync(new URL(`testdata/${name}`, import.meta.url)));
const text = (length: number) => 'x'.repeat(length);
const opens = (made: { tokenizerJson: unknown; tokenizerConfigJson: unknown }) =>
  loadTokenizer(made.tokenizerJson, made.tokenizerConfigJson);

// ------------------------------------------------------- spiece.model

type Field = Uint8Array;
const join = (...parts: (Uint8Array | number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
/** A field of bytes. */
const field = (number: number, bytes: Uint8Array | number[]): Field =>
  join([(number << 3) | 2], varint(bytes.length), bytes);
const utf8 = (value: string) => new TextEncoder().encode(value);
const piece = (value: string, type = 1): Field =>
  field(1, join(field(1, utf8(value)), [0x15], new Uint8Array(Float32Array.of(-1).buffer), [0x18, type]));
const unknown = piece('<unk>', 2);
const times = (part: Uint8Array, count: number): Uint8Array => {
  const all = new Uint8Array(part.length * count);
  for (let i = 0; i < count; i++) all.set(part, i * part.length);
  return all;
};
const trainer = (...fields: number[][]): Field => field(2, fields.flat());
const NUMBER = /no SentencePiece model, or it was cut off/;

describe('a hostile spiece.model', () => {
  it('is measured against a good one', () => {
    expect(opens(spieceTokenizer(join(unknown, piece('▁a')))).encode('a')).toEqual([1]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a number of ten bytes and more', join(unknown, [0x10], Array(20).fill(0xff)), NUMBER],
    ['a number that does not end', join(unknown, [0x10, 0xff, 0xff]), NUMBER],
    ['a length of 2^63', join([0x0a], Array(9).fill(0xff), [0x7f]), NUMBER],
    ['a length of -1', join([0x0a], Array(9).fill(0xff), [0x01]), NUMBER],
    ['a length beyond the piece that holds it', field(1, [0x0a, 100, 65]), NUMBER],
    ['pieces that are numbers', join([0x08, 1]), NUMBER],
    ['a text that is a number', field(1, [0x08, 1]), NUMBER],
    ['a score that is a text', field(1, [0x12, 1, 65]), NUMBER],
    ['a text that is no UTF-8', field(1, [0x0a, 2, 0xff, 0xfe]), NUMBER],
    ['a field of the number 0', join(unknown, [0x02, 0]), NUMBER],
    ['wire types that do not exist', join(unknown, [0x3e, 0x3f]), NUMBER],
    ['the end of a group that never began', join(unknown, [0x3c]), NUMBER],
    ['a group that does not end', join(unknown, [0x3b, 0x08, 1]), NUMBER],
    ['groups that end in another order', join(unknown, [0x3b, 0x43, 0x3c, 0x44]), NUMBER],
    ['ten million groups in groups', new Uint8Array(1e7).fill(0x3b), NUMBER],
    ['messages in messages', times(Uint8Array.of(0x0a, 0x7f), 1e6), NUMBER],
    ['ten million empty pieces', times(Uint8Array.of(0x0a, 0), 1e7), /more than 524288 pieces/],
    ['half a million times the same piece', join(unknown, times(piece('a'), 5e5)), /there twice/],
    [
      'an unknown piece of -1',
      join(unknown, trainer([0xc0, 2, ...Array(9).fill(0xff), 1])),
      /unknown piece -1/,
    ],
    ['an unknown piece of 2^31 - 1', join(unknown, trainer([0xc0, 2, ...varint(2 ** 31 - 1)])), /2147483647/],
    ['the kind -1', join(unknown, trainer([0x18, ...Array(9).fill(0xff), 1])), /kind -1/],
    ['65 MiB', new Uint8Array(65 * 2 ** 20), /68157440 bytes/],
    [
      'a character map that is none',
      join(unknown, piece('▁a'), field(3, field(2, [255, 255, 255, 127, 0, 0]))),
      /character map claims a trie of/,
    ],
    [
      'a character map that puts a megabyte for a letter',
      join(unknown, piece('▁a'), field(3, field(2, join([4, 0, 0, 0, 0, 0, 0, 0], utf8(text(1e6)))))),
      /character map puts 1000000 bytes/,
    ],
    [
      'pieces of a million characters',
      join(unknown, ...[1, 2, 3, 4, 5].map((i) => piece(text(1e6 + i)))),
      /characters, unlike any/,
    ],
    [
      'a BPE piece of a million characters',
      join(unknown, piece('x'), piece(text(1e6)), trainer([0x18, 2])),
      /longer than those of any published/,
    ],
  ])('with %s', async (_, bytes, message) => {
    const error = await refusal(() => opens(spieceTokenizer(bytes)));
    expect(error).toMatchObject({ code: 'bad-tokenizer', message: expect.stringMatching(message) });
  });

  it('with a character map whose trie leads round in circles still ends', async () => {
    // Every unit is a child of every other, none has a value.
    const trie = new Uint8Array(4 * 256);
    for (let i = 0; i < 256; i++) new DataView(trie.buffer).setUint32(4 * i, (1 << 10) | i, true);
    const tokenizer = opens(
      spieceTokenizer(join(unknown, piece('▁a'), field(3, field(2, join([0, 4, 0, 0], trie))))),
    );
    const { ms } = await computing(() => tokenizer.encode('größe '.repeat(1000)));
    expect(ms).toBeLessThan(1000);
  });

  it.each(['t5.spiece.model', 'bpe.spiece.model'])(
    '%s, damaged anywhere, opens or is refused',
    async (name) => {
      const good = data(name);
      for (let length = 0; length < good.length; length += Math.ceil(good.length / 60))
        await endsOrRefuses(() => opens(spieceTokenizer(good.subarray(0, length))));
      await fc.assert(
        fc.asyncProperty(damaged(good), (bytes) =>
          endsOrRefuses(() => opens(spieceTokenizer(bytes)).encode('a good film')),
        ),
        tries(30),
      );
    },
  );
});

// ------------------------------------------------------- tokenizer.json

const bpe = (more: object) => ({
  model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, ba: 3 }, merges: [], ...more },
});
const replace = (text: string, content: string) => ({ type: 'Replace', pattern: { String: text }, content });
const sequence = (normalizers: object[]) => ({ ...bpe({}), normalizer: { type: 'Sequence', normalizers } });

describe('a hostile tokenizer.json', () => {
  it.each<[string, unknown, RegExp]>([
    [
      'replacements that double the text sixty times',
      sequence(Array(60).fill(replace('q', 'qq'))),
      /1000 times/,
    ],
    ['a replacement of a megabyte', sequence([replace('q', text(1e6))]), /"content" is a text of 1000000/],
    [
      'a word separator of a megabyte',
      { ...bpe({}), pre_tokenizer: { type: 'Metaspace', replacement: text(1e6) } },
      /1000000/,
    ],
    [
      'a hundred thousand normalisers',
      sequence(Array(1e5).fill({ type: 'Lowercase' })),
      /more than 10000 parts/,
    ],
    [
      'a million special tokens for every text',
      {
        ...bpe({}),
        post_processor: { type: 'TemplateProcessing', single: Array(1e5).fill({ Sequence: { id: 'A' } }) },
      },
      /more than 10000 parts/,
    ],
    ['merges of three', bpe({ merges: [['a', 'b', 'c']] }), /merge 0 is/],
    ['merges that are missing', { model: { type: 'BPE', vocab: { a: 0 } } }, /cannot be used/],
    [
      'a vocabulary of pieces as long as books',
      { model: { type: 'Unigram', unk_id: 0, vocab: [[text(5e6), 0]] } },
      /5000000 characters/,
    ],
    [
      'an unknown piece of -1',
      { model: { type: 'Unigram', unk_id: -1, vocab: [['a', 0]] } },
      /unknown piece is -1/,
    ],
    ['a vocabulary of nothing', { model: { type: 'Unigram', vocab: [] } }, /cannot be used/],
    ['added tokens in a table', { ...bpe({}), added_tokens: { 0: '<x>' } }, /no list/],
    ['an id of 2^21', { ...bpe({}), added_tokens: [{ id: 2 ** 21, content: 'x' }] }, /added token is/],
    ['an id of 0.5', bpe({ vocab: { a: 0.5 } }), /"a" has the id 0.5/],
  ])('with %s', async (_, json, message) => {
    const error = await refusal(() => loadTokenizer(json));
    expect(error).toMatchObject({ code: 'bad-tokenizer', message: expect.stringMatching(message) });
  });

  it.each<[string, object]>([
    ['that make each other', { merges: ['a b', 'b a', 'ab a', 'a ba', 'ba b', 'b ab', 'ab ab', 'ba ba'] }],
    ['of a piece with itself', { merges: ['a a', 'aa aa', 'aaaa aaaa'] }],
    [
      'of nothing',
      {
        merges: [
          ['', ''],
          ['a', ''],
          ['', 'a'],
        ],
      },
    ],
    ['whose pieces are none', { merges: ['x y', 'xy z', 'ab zz'] }],
  ])('with merges %s still ends', async (_, model) => {
    const tokenizer = loadTokenizer(bpe(model));
    const { value, ms } = await computing(() => tokenizer.encode('abba'.repeat(2000)));
    expect(value.length).toBeLessThanOrEqual(8000);
    expect(ms).toBeLessThan(1000);
  });

  it('of a published kind, damaged anywhere, opens or is refused', async () => {
    const good = data('bpe-gpt2.json');
    await fc.assert(
      fc.asyncProperty(damaged(good), async (bytes) => {
        let json: unknown;
        try {
          json = JSON.parse(new TextDecoder().decode(bytes));
        } catch {
          return;
        }
        await endsOrRefuses(() => loadTokenizer(json).encode('a good film'));
      }),
      tries(30),
    );
  });
});

// ------------------------------------------------------- inside of a GGUF file

const inside = (more: Record<string, unknown>) => ({
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': ['<unk>', '▁', 'a', '▁a'],
  'tokenizer.ggml.scores': [0, -1, -2, -3],
  'tokenizer.ggml.token_type': [2, 1, 1, 1],
  'tokenizer.ggml.unknown_token_id': 0,
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`tokenizer.ggml.${key}`, value])),
});

describe('a hostile tokenizer of a GGUF file', () => {
  it('is measured against a good one', () => {
    expect(opens(ggufTokenizer(inside({}))).encode('a')).toEqual([3]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['numbers for pieces', { tokens: [1, 2, 3] }, /holds no tokenizer/],
    ['a text for pieces', { tokens: 'abc' }, /holds no tokenizer/],
    ['scores that are too few', { scores: [0] }, /no scores/],
    ['scores that are texts', { scores: ['0', '1', '2', '3'] }, /no scores/],
    ['a score that is no number', { scores: [0, Number.NaN, 1, 2] }, /no scores/],
    ['types that are too few', { token_type: [1] }, /no token types/],
    ['types that are one number', { token_type: 3 }, /no token types/],
    ['merges that are numbers', { model: 'gpt2', pre: 'gpt-2', merges: [1, 2] }, /no merges/],
    ['no pieces', { tokens: [], scores: [], token_type: [] }, /holds no tokenizer/],
    ['a piece of a million letters', { tokens: ['<unk>', 'x', 'y', text(1e6)] }, /longer than those of any/],
    [
      'a hundred thousand pieces of 100 letters',
      {
        tokens: Array.from({ length: 1e5 }, (_, i) => text(94) + i),
        scores: Array(1e5).fill(0),
        token_type: Array(1e5).fill(1),
      },
      /longer than those of any/,
    ],
  ])('with %s', async (_, more, message) => {
    const error = await refusal(() => opens(ggufTokenizer(inside(more))));
    expect(error).toMatchObject({ code: 'bad-tokenizer', message: expect.stringMatching(message) });
  });

  it('with junk for any key opens or is refused', async () => {
    const keys = Object.keys(inside({ merges: 0, pre: 0, bos_token_id: 0, add_bos_token: 0 }));
    const junk = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(-1, 2 ** 40, 0.5, 2n ** 63n, 'gpt2', true),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), junk, (key, value) =>
        endsOrRefuses(() =>
          opens(ggufTokenizer({ ...inside({ add_bos_token: true, bos_token_id: 0 }), [key]: value })).encode(
            'a b',
          ),
        ),
      ),
      tries(500),
    );
  });
});
