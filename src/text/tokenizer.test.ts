import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal } from '../testing/hostile.ts';
import { endsSoon } from './check.ts';
import { loadTokenizer } from './tokenizer.ts';

interface Golden {
  cases: {
    text: string;
    ids: number[];
    ids_with_special: number[];
    decoded: string;
    decoded_skip_special: string;
  }[];
}
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

describe('loadTokenizer', () => {
  it.each([
    'bpe-gpt2',
    'bpe-llama3',
    'bpe-qwen2',
    'bpe-smollm',
    'spm-bpe-gemma',
    'spm-bpe-llama2',
    'unigram-t5',
    'unigram-t5-wordsplit',
  ])('%s gives the ids and texts of the Rust library on every string', (name) => {
    const tokenizer = loadTokenizer(read(`testdata/${name}.json`));
    const { cases } = read(`testdata/${name}.ids.json`) as Golden;
    expect(cases.length).toBeGreaterThan(40);
    // Twice: the second time words are remembered.
    for (const golden of [...cases, ...cases]) {
      expect(tokenizer.encode(golden.text)).toEqual(golden.ids);
      expect(tokenizer.encode(golden.text, { special: true })).toEqual(golden.ids_with_special);
      expect(tokenizer.decode(golden.ids)).toBe(golden.decoded);
      expect(tokenizer.decode(golden.ids_with_special, { skipSpecial: true })).toBe(
        golden.decoded_skip_special,
      );
    }
  });

  it('finds the special tokens by their usual names, or by those of the config', () => {
    const t5 = loadTokenizer(read('testdata/unigram-t5.json'));
    expect(t5).toMatchObject({ padId: 0, eosId: 1, unkId: 2 });
    const qwen = loadTokenizer(read('testdata/bpe-qwen2.json'), {
      eos_token: { content: '<|im_end|>' },
      pad_token: null,
    });
    expect(qwen.eosId).toBe(702);
    expect(qwen.unkId).toBeUndefined();
  });

  it('knows its size and its pieces', () => {
    const tokenizer = loadTokenizer(read('testdata/bpe-llama3.json'));
    expect(tokenizer.size).toBe(703);
    expect(tokenizer.token(702)).toBe('<|eot_id|>');
    expect(tokenizer.token(99999)).toBe('<99999>');
    expect(tokenizer.decode([99999])).toBe('');
  });

  it('lower-cases for the built-in models and ends in </s>', () => {
    const tokenizer = loadTokenizer(
      read('../../public/models/tokenizer.json'),
      read('../../public/models/tokenizer_config.json'),
    );
    expect(tokenizer).toMatchObject({ size: 8192, padId: 0, eosId: 1, unkId: 2 });
    const ids = tokenizer.encode('A Good Film.', { special: true });
    expect(ids).toEqual(tokenizer.encode('a good film.', { special: true }));
    expect(ids.at(-1)).toBe(1);
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe('a good film.');
  });

  it('encodes texts of any length, with and without spaces', () => {
    const tokenizer = loadTokenizer(read('../../public/models/tokenizer.json'));
    const sentence = tokenizer.encode('the film was good. ');
    const long = tokenizer.encode('the film was good. '.repeat(10_000), { special: true });
    expect(long.length).toBe(sentence.length * 10_000 + 1);
    expect(long.slice(0, sentence.length)).toEqual(sentence);
    expect(long.at(-1)).toBe(1);
    expect(tokenizer.encode('z'.repeat(130_000)).length).toBeGreaterThan(10_000);
  });

  const good = read('testdata/unigram-t5.json') as Record<string, object>;
  const bpe = read('testdata/bpe-gpt2.json') as { model: { vocab: object } };
  const ofVocab = (more: object) => ({
    ...bpe,
    model: { ...bpe.model, vocab: { ...bpe.model.vocab, ...more } },
  });
  const split = (Regex: string) => ({
    type: 'Split',
    pattern: { Regex },
    behavior: 'Isolated',
    invert: false,
  });
  const nested = '{"type":"Sequence","normalizers":['.repeat(3000) + ']}'.repeat(3000);
  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /no JSON object/],
    ['a list', [], /no JSON object/],
    ['another JSON file', { d_model: 64 }, /no "model"/],
    ['a model without a vocabulary', { model: { type: 'BPE', merges: [] } }, /no vocabulary/],
    ['a kind nobody knows', { model: { type: 'Word2Vec', vocab: [] } }, /cannot be used/],
    ['an unknown normaliser', { ...good, normalizer: { type: 'Reverse' } }, /cannot be used/],
    [
      'a broken character map',
      { ...good, normalizer: { type: 'Precompiled', precompiled_charsmap: '/////w==' } },
      /trie of/,
    ],
    ['an id of four billion', ofVocab({ zz: 4e9 }), /"zz" has the id 4000000000/],
    ['a negative id', ofVocab({ zz: -5 }), /"zz" has the id -5/],
    ['an id that is a text', ofVocab({ zz: '5' }), /"zz" has the id "5"/],
    [
      'an added token of a huge id',
      { ...bpe, added_tokens: [{ id: 4e9, content: '<x>' }] },
      /added token is/,
    ],
    ['an added token without text', { ...bpe, added_tokens: [{ id: 4, content: '' }] }, /added token is/],
    ['merges that are none', { ...bpe, model: { ...bpe.model, merges: [[1, 2]] } }, /merge 0 is \[1,2\]/],
    [
      'pieces without scores',
      { ...good, model: { ...good.model, vocab: [['a', 'x']] } },
      /piece 0 .* is \["a","x"\]/,
    ],
    [
      'an unknown piece beyond all',
      { ...good, model: { ...good.model, unk_id: 1e6 } },
      /unknown piece is 1000000/,
    ],
    ['normalisers 3,000 deep', { ...bpe, normalizer: JSON.parse(nested) as unknown }, /nested more than 16/],
    ['a pattern that never ends', { ...bpe, pre_tokenizer: split('(a+)+$') }, /could run for ever/],
    ['a pattern that branches for ever', { ...bpe, pre_tokenizer: split('(?:a|a)*b') }, /could run for ever/],
  ])('refuses %s, at once', async (_, json, message) => {
    const error = await refusal(() => loadTokenizer(json));
    expect(error).toMatchObject({ code: 'bad-tokenizer', message: expect.stringMatching(message) });
  });

  it('survives any change of a value: a tokenizer or a PreludeError', () => {
    const small = {
      added_tokens: [{ id: 3, content: '<x>', special: true }],
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '_' },
      pre_tokenizer: split('[ab]+'),
      model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'], unk_token: 'a' },
    };
    expect(loadTokenizer(small).encode('ab')).toEqual([2]);
    const paths: string[][] = [];
    const walk = (value: unknown, path: string[]) => {
      if (path.length > 0) paths.push(path);
      if (typeof value === 'object' && value !== null)
        for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    };
    walk(small, []);
    const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(4e9, -1, 0.5, '(a*)*', 'ByteLevel'));
    fc.assert(
      fc.property(fc.constantFrom(...paths), junk, (path, value) => {
        const json = structuredClone(small) as unknown as Record<string, unknown>;
        let at = json;
        for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
        at[path.at(-1)!] = value;
        try {
          expect(loadTokenizer(json).size).toBeLessThan(2 ** 21 + 1);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-tokenizer' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('endsSoon', () => {
  it.each([
    String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
    String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{M}]+(?i:'s|'t)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+(?!\S)`,
    String.raw`\((?:abc)+\)|[(+)*]+`,
    ' {2,}',
  ])('published and plain patterns: %s', (pattern) => expect(endsSoon(pattern)).toBe(true));
  it.each(['(a+)+', '(a*)*', '(a|b)+', '((a?)b){2,9}', '(?:x(?:y+))*', '(', 'a)'])(
    'not those that try ever more ways: %s',
    (pattern) => expect(endsSoon(pattern)).toBe(false),
  );
});
