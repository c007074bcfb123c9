import {
  Tokenizer as HubTokenizer,
  type Normalizer,
  PrecompiledNormalizer,
  SequenceNormalizer,
  Unigram,
} from '@huggingface/tokenizers';
import { PreludeError } from '../errors.ts';
import { checkTokenizer, TOKENIZER_REMEDY } from './check.ts';
import { precompiledNormalizer } from './precompiled.ts';

/** Text to token ids and back, as the Rust library `tokenizers` does with the same `tokenizer.json`. */
export interface Tokenizer {
  /** Token ids of a text; with `special` also what the post-processor adds (T5: `</s>` at the end). Default: without. */
  encode(text: string, options?: { special?: boolean }): number[];
  /** Text of token ids; `skipSpecial` leaves out special tokens. Ids beyond the vocabulary are left out. */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
  /** The piece of the vocabulary with this id, as stored (`▁the`), or `<id>` where the vocabulary has none. */
  token(id: number): string;
  /** One more than the largest id. A model's `vocab_size` may be larger (padding rows), never smaller. */
  size: number;
  /** Ids of the special tokens the folder names, or that have one of the usual names. */
  eosId?: number;
  padId?: number;
  unkId?: number;
}

/** Bounds of the memory for words: about 10 MB at most. */
const MAX_WORDS = 50_000;
const MAX_WORD_LENGTH = 40;

/** Longest text, in UTF-16 units, that the library is given at once. */
const MAX_PIECE = 20_000;

/** Names that published vocabularies give these tokens, used when `tokenizer_config.json` is missing or says nothing. */
const USUAL_NAMES = {
  eos_token: ['</s>', '<|endoftext|>', '<|end_of_text|>', '<eos>', '<|im_end|>'],
  pad_token: ['<pad>', '<|finetune_right_pad_id|>', '[PAD]'],
  unk_token: ['<unk>', '[UNK]'],
} as const;

/**
 * Makes a tokenizer of the parsed `tokenizer.json` (and `tokenizer_config.json`) of a model folder.
 * @throws PreludeError 'bad-tokenizer' for a file that is no tokenizer or of a kind the library does not know.
 */
export function loadTokenizer(tokenizerJson: unknown, tokenizerConfigJson: unknown = {}): Tokenizer {
  const json = checkTokenizer(tokenizerJson);
  const config = plainConfig(tokenizerConfigJson);
  let hub: HubTokenizer;
  let pieces: Map<string, number>;
  try {
    hub = new HubTokenizer(json, config);
    normalizeExactly(hub.normalizer);
    if (hub.model instanceof Unigram) rememberWords(hub.model);
    pieces = hub.get_vocab();
    hub.encode('a');
  } catch (cause) {
    throw new PreludeError(
      'bad-tokenizer',
      `tokenizer.json: it cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { where: 'tokenizer.json', remedy: TOKENIZER_REMEDY, cause },
    );
  }
  let size = 0;
  for (const id of pieces.values()) size = Math.max(size, id + 1);
  const named = (key: keyof typeof USUAL_NAMES): number | undefined => {
    const names = typeof config[key] === 'string' ? [config[key]] : USUAL_NAMES[key];
    return names.map((name) => hub.token_to_id(name)).find((id) => id !== undefined);
  };
  const unkId = named('unk_token');
  return {
    encode: (text, { special = false } = {}) =>
      text.length <= MAX_PIECE ? encodePiece(hub, text, special) : encodeLong(hub, text, special),
    decode(ids, { skipSpecial = false } = {}) {
      const known = ids.filter((id) => hub.id_to_token(id) !== undefined);
      return known.length === 0 ? '' : hub.decode(known, { skip_special_tokens: skipSpecial });
    },
    token: (id) => hub.id_to_token(id) ?? `<${id}>`,
    size,
    eosId: named('eos_token'),
    padId: named('pad_token'),
    unkId,
  };
}

/** Puts our exact reading of SentencePiece's character map in the place of the library's approximation. */
function normalizeExactly(normalizer: Normalizer | null): void {
  if (normalizer instanceof SequenceNormalizer)
    for (const each of normalizer.normalizers) normalizeExactly(each);
  else if (normalizer instanceof PrecompiledNormalizer && typeof normalizer.charsmap === 'string')
    normalizer.normalize = precompiledNormalizer(fromBase64(normalizer.charsmap));
}

function encodePiece(hub: HubTokenizer, text: string, special: boolean): number[] {
  return hub.encode(text, { add_special_tokens: special }).ids.filter((id) => id !== undefined);
}

/**
 * A text too long for the library, which passes all tokens of a word as arguments of one call. Cut at white space, where
 * the tokenizers of T5 cut anyway; a word of more than a piece is cut where the piece ends, which may change a token there.
 */
function encodeLong(hub: HubTokenizer, text: string, special: boolean): number[] {
  const ids: number[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + MAX_PIECE, text.length);
    if (end < text.length) {
      const space = text.lastIndexOf(' ', end);
      if (space > start) end = space;
      else if (/[\uD800-\uDBFF]/.test(text[end - 1]!)) end--;
    }
    for (const id of encodePiece(hub, text.slice(start, end), false)) ids.push(id);
    start = end;
  }
  if (!special) return ids;
  const bare = encodePiece(hub, 'a', false);
  const framed = encodePiece(hub, 'a', true);
  const before = framed.indexOf(bare[0]!);
  return [...framed.slice(0, before), ...ids, ...framed.slice(before + bare.length)];
}

/** The pieces of words seen before: the library builds its lattice anew for every "the", which is most of its time. */
function rememberWords(model: Unigram): void {
  const seen = new Map<string, string[]>();
  const tokenize = model.tokenize.bind(model);
  model.tokenize = (word) => {
    const known = seen.get(word);
    if (known) return known;
    const pieces = tokenize(word);
    if (seen.size >= MAX_WORDS) seen.clear();
    if (word.length <= MAX_WORD_LENGTH) seen.set(word, pieces);
    return pieces;
  };
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** The config with special tokens as plain strings (older files have objects) and no clean-up of spaces unless asked for. */
function plainConfig(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null) return { clean_up_tokenization_spaces: false };
  const config: Record<string, unknown> = { clean_up_tokenization_spaces: false, ...json };
  for (const [key, value] of Object.entries(config))
    if (key.endsWith('_token') && typeof value === 'object' && value !== null && 'content' in value)
      config[key] = value.content;
  return config;
}
