import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ggufTokenizer } from './gguf.ts';
import { loadTokenizer } from './tokenizer.ts';

interface TokenizerJson {
  added_tokens: { id: number; content: string; special: boolean }[];
  model: { vocab: Record<string, number>; merges: [string, string][] | string[] };
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`./testdata/${name}`, import.meta.url), 'utf8'));

/** The metadata that a conversion of this tokenizer would write. */
function metadataOf(json: TokenizerJson, kind: 'gpt2' | 'llama', pre: string): Record<string, unknown> {
  const { vocab, merges } = json.model;
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(vocab)) tokens[id] = token;
  const types: number[] = tokens.map((token) => (/^<0x[0-9A-F]{2}>$/.test(token) ? 6 : 1));
  for (const { id, content, special } of json.added_tokens) {
    tokens[id] = content;
    types[id] = special ? 3 : 4;
  }
  const pairs = merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  // A piece's score says when it is made: the earlier, the higher.
  const rank = new Map<string, number>();
  pairs.forEach((pair, at) => {
    const piece = pair.replace(' ', '');
    if (!rank.has(piece)) rank.set(piece, at);
  });
  return {
    'tokenizer.ggml.model': kind,
    'tokenizer.ggml.pre': pre,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    ...(kind === 'gpt2'
      ? { 'tokenizer.ggml.merges': pairs }
      : {
          'tokenizer.ggml.scores': tokens.map((token) => -(rank.get(token) ?? 0)),
          'tokenizer.ggml.unknown_token_id': vocab['<unk>'],
        }),
  };
}

describe('ggufTokenizer', () => {
  test.each([
    ['bpe-gpt2', 'gpt2', 'gpt-2'],
    ['bpe-smollm', 'gpt2', 'smollm'],
    ['bpe-llama3', 'gpt2', 'llama-bpe'],
    ['bpe-qwen2', 'gpt2', 'qwen2'],
    ['spm-bpe-llama2', 'llama', 'default'],
  ] as const)('%s: the ids of the folder it was made from', (name, kind, pre) => {
    const { tokenizerJson, tokenizerConfigJson } = ggufTokenizer(metadataOf(read(`${name}.json`), kind, pre));
    const tokenizer = loadTokenizer(tokenizerJson, tokenizerConfigJson);
    const { cases } = read(`${name}.ids.json`) as { cases: { text: string; ids: number[] }[] };
    const different = cases.filter(
      ({ text, ids }) => JSON.stringify(tokenizer.encode(text)) !== JSON.stringify(ids),
    );
    expect(different.map(({ text }) => text)).toEqual([]);
  });

  test('puts the beginning token in front where the file asks for it', () => {
    const metadata = {
      ...metadataOf(read('bpe-gpt2.json'), 'gpt2', 'gpt-2'),
      'tokenizer.ggml.add_bos_token': true,
      'tokenizer.ggml.bos_token_id': 700,
    };
    const tokenizer = loadTokenizer(ggufTokenizer(metadata).tokenizerJson);
    expect(tokenizer.encode('a', { special: true })).toEqual([700, ...tokenizer.encode('a')]);
  });

  test.each([
    [{}, 'no tokenizer'],
    [{ 'tokenizer.ggml.tokens': ['a'], 'tokenizer.ggml.model': 'bert' }, '"bert"'],
    [
      { 'tokenizer.ggml.tokens': ['a'], 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': 'tekken' },
      '"tekken"',
    ],
  ])('refuses what it does not know, by name', (metadata, name) => {
    expect(() => ggufTokenizer(metadata)).toThrow(name);
  });
});
