import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PreludeError } from '../errors.ts';
import { spieceTokenizer } from './spiece.ts';
import { loadTokenizer } from './tokenizer.ts';

/** Made by testdata/make_spiece.py. */
const data = (name: string) => new Uint8Array(readFileSync(new URL(`testdata/${name}`, import.meta.url)));
interface Case {
  text: string;
  ids: number[];
  ids_with_special?: number[];
  decoded?: string;
}
const golden = (name: string): { size: number; cases: Case[] } =>
  JSON.parse(new TextDecoder().decode(data(name)));
const load = (bytes: Uint8Array, config?: unknown) => {
  const { tokenizerJson, tokenizerConfigJson } = spieceTokenizer(bytes, config);
  return loadTokenizer(tokenizerJson, tokenizerConfigJson);
};
const t5 = data('t5.spiece.model');

describe('spieceTokenizer', () => {
  it('gives the ids that transformers gives a T5 with this spiece.model, on every string', () => {
    const tokenizer = load(t5);
    const { size, cases } = golden('t5.spiece.ids.json');
    expect(tokenizer.size).toBe(size);
    expect(cases.length).toBeGreaterThan(40);
    for (const { text, ids, ids_with_special, decoded } of cases) {
      expect([text, ...tokenizer.encode(text)]).toEqual([text, ...ids]);
      expect([text, ...tokenizer.encode(text, { special: true })]).toEqual([text, ...ids_with_special!]);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
    expect(tokenizer).toMatchObject({ padId: 0, eosId: 1, unkId: 2 });
  });

  it('puts as many sentinels behind the pieces as the config says', () => {
    const { size } = golden('t5.spiece.ids.json');
    expect(load(t5, { extra_ids: 0 }).size).toBe(size - 100);
    expect(load(t5, { extra_ids: 5 }).token(size - 100)).toBe('<extra_id_4>');
    expect(load(t5, { extra_ids: -1 }).size).toBe(size);
  });

  it('gives the ids of SentencePiece for a BPE model with byte fallback, behind <s>', () => {
    const tokenizer = load(data('bpe.spiece.model'));
    const { size, cases } = golden('bpe.spiece.ids.json');
    expect(tokenizer.size).toBe(size);
    expect(cases.length).toBeGreaterThan(20);
    for (const { text, ids } of cases) {
      expect([text, ...tokenizer.encode(text)]).toEqual([text, ...ids]);
      expect(tokenizer.encode(text, { special: true })).toEqual([1, ...ids]);
    }
  });

  const bytesOf = (...parts: (number[] | string)[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : part)));
  const unk = [0x0a, 9, 0x0a, 5, ...Buffer.from('<unk>'), 0x18, 2];
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /no pieces/],
    ['a JSON file', bytesOf('{"model":{}}'), /no SentencePiece model/],
    ['a file of zeros', new Uint8Array(1000), /no SentencePiece model/],
    ['a cut file', t5.slice(0, 1000), /cut off/],
    ['a length of 4 GiB', bytesOf([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]), /cut off/],
    ['groups nested without end', new Uint8Array(200_000).fill(0x3b), /no SentencePiece model/],
    ['a piece given twice', bytesOf(unk, unk), /there twice/],
    ['an unknown piece that is none', bytesOf(unk, [0x12, 3, 0xc0, 2, 7]), /unknown piece 7/],
    ['a word model', bytesOf(unk, [0x12, 2, 0x18, 3]), /kind 3/],
    [
      'a score that is no number',
      bytesOf(unk, [0x0a, 8, 0x0a, 1, 0x61, 0x15, 0, 0, 0xc0, 0x7f]),
      /score of a piece/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => spieceTokenizer(bytes)).toThrow(
      expect.objectContaining({ code: 'bad-tokenizer', message: expect.stringMatching(message) }),
    );
  });

  it('survives any change: a tokenizer or a PreludeError', () => {
    const small = bytesOf(unk, [0x0a, 8, 0x0a, 1, 0x61, 0x15, 0, 0, 0x80, 0xbf], [0x12, 2, 0x18, 1]);
    const change = fc.tuple(fc.nat(small.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = small.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          load(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(PreludeError);
        }
      }),
    );
  });
});
