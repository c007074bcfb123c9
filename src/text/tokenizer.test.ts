import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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
  ])('refuses %s', (_, json, message) => {
    expect(() => loadTokenizer(json)).toThrow(
      expect.objectContaining({ code: 'bad-tokenizer', message: expect.stringMatching(message) }),
    );
  });
});
