import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from './tokenizer.ts';
import { answerJoiner, inspectVerbalizers, makeVerbalizers } from './verbalizer.ts';

const tokenizer = loadTokenizer(
  JSON.parse(readFileSync(new URL('../../public/models/tokenizer.json', import.meta.url), 'utf8')),
);
const own = (...labels: string[]) => labels.map((label) => ({ label, words: [label] }));
const kinds = (
  labels: Parameters<typeof inspectVerbalizers>[0],
  appendEos: boolean,
  by: Tokenizer = tokenizer,
) => inspectVerbalizers(labels, by, { appendEos }).issues.map(({ level, kind }) => `${level} ${kind}`);

describe('makeVerbalizers', () => {
  it('encodes each word, with the end token where asked for', () => {
    const [positive] = tokenizer.encode('positive');
    expect(makeVerbalizers(own('positive'), tokenizer, { appendEos: false })).toEqual([
      { label: 'positive', text: 'positive', ids: [positive] },
    ]);
    expect(makeVerbalizers(own('positive'), tokenizer, { appendEos: true })[0]!.ids).toEqual([positive, 1]);
  });

  it('gives a verbalizer for each word of a label', () => {
    const labels = [
      { label: 'pos', words: ['good', 'great'] },
      { label: 'neg', words: ['bad'] },
    ];
    const made = makeVerbalizers(labels, tokenizer, { appendEos: true });
    expect(made.map(({ label, text }) => `${label} ${text}`)).toEqual(['pos good', 'pos great', 'neg bad']);
  });

  it.each(['POSITIVE', 'class_1', '1', 'not sure', '3.5'])('takes the label %s as it is', (label) => {
    const [made] = makeVerbalizers(own(label), tokenizer, { appendEos: true });
    expect(made!.ids.length).toBeGreaterThan(1);
    expect(made!.ids).not.toContain(tokenizer.unkId);
  });

  it('refuses labels that are the same to the model', () => {
    expect(() => makeVerbalizers(own('Good', 'bad', 'good'), tokenizer, { appendEos: true })).toThrow(
      expect.objectContaining({
        code: 'bad-labels',
        where: 'Good, good',
        message: expect.stringContaining('"Good" and "good"'),
      }),
    );
    expect(() => makeVerbalizers(own('世', '界'), tokenizer, { appendEos: true })).toThrow(
      /are the same for this model/,
    );
  });

  it('refuses a label without words, or with an empty one', () => {
    expect(() => makeVerbalizers([{ label: 'a', words: [] }], tokenizer, { appendEos: true })).toThrow(
      /without any text/,
    );
    expect(() => makeVerbalizers(own(' '), tokenizer, { appendEos: true })).toThrow(/without any text/);
  });
});

describe('inspectVerbalizers', () => {
  it('has nothing to say about common words', () => {
    expect(kinds(own('positive', 'negative'), true)).toEqual([]);
  });

  it('notes verbalizers of several tokens', () => {
    expect(kinds(own('billing', 'money'), true)).toEqual(['note several-tokens']);
  });

  it('warns of tokens the model does not have', () => {
    expect(kinds(own('世', 'money'), true)).toContain('warning unknown-token');
  });

  it('warns when one begins another, but only without an end token', () => {
    expect(kinds(own('not', 'not sure'), false)).toEqual(['warning prefix', 'note several-tokens']);
    expect(kinds(own('not', 'not sure'), true)).toEqual(['note several-tokens']);
  });

  it('lets two words of one label be the same tokens', () => {
    expect(kinds([{ label: 'a', words: ['good', 'Good'] }], true)).toEqual([]);
  });

  it('says when there is no end token to append', () => {
    expect(kinds(own('good'), true, { ...tokenizer, eosId: undefined })).toContain('error no-end-token');
    expect(kinds(own('good'), false, { ...tokenizer, eosId: undefined })).toEqual([]);
  });
});

describe('answerJoiner', () => {
  const load = (name: string) =>
    loadTokenizer(
      JSON.parse(readFileSync(new URL(`./testdata/${name}.json`, import.meta.url), 'utf8')) as unknown,
    );

  it.each([
    ['bpe-gpt2', ' '],
    ['bpe-llama3', ' '],
    ['bpe-qwen2', ' '],
    ['bpe-smollm', ' '],
    ['spm-bpe-gemma', ' '],
    ['spm-bpe-llama2', ''],
    ['unigram-t5', ''],
    ['unigram-t5-wordsplit', ''],
  ])('%s: %j, so that input and answer are the tokens of the whole text', (name, joiner) => {
    const each = load(name);
    expect(answerJoiner(each, '{text}')).toBe(joiner);
    const [word] = makeVerbalizers([{ label: 'x', words: ['the'] }], each, {
      appendEos: false,
      joiner: answerJoiner(each, '{text}'),
    });
    expect(word).toMatchObject({ text: 'the' });
    expect([...each.encode('it is'), ...word!.ids]).toEqual(each.encode('it is the'));
  });

  it('is nothing behind a template that ends in white space', () => {
    const gpt2 = load('bpe-gpt2');
    expect(answerJoiner(gpt2, '{text}\nAnswer:')).toBe(' ');
    expect(answerJoiner(gpt2, '{text}\n')).toBe('');
    expect(answerJoiner(gpt2, '{text} => ')).toBe('');
  });
});
