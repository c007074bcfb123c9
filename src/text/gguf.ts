import { PreludeError } from '../errors.ts';

/** The key-value pairs of a GGUF file. */
type Metadata = Readonly<Record<string, unknown>>;

/** `tokenizer.ggml.token_type` */
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
/** Sum of the squared lengths of all pieces, the work of finding merges; the largest published vocabularies stay below a tenth. */
const MAX_MERGE_WORK = 2 ** 28;
const split = (regex: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ],
});
const LLAMA_3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN_2 = LLAMA_3.replace('\\p{N}{1,3}', '\\p{N}');

/** How a text is cut before byte-level BPE, by `tokenizer.ggml.pre` (llama.cpp, `llama_vocab::impl::load`). */
const PRE_TOKENIZERS: Readonly<Record<string, { cut: object; normalizer?: object; whole?: boolean }>> = {
  'gpt-2': { cut: byteLevel(true) },
  smollm: {
    cut: {
      type: 'Sequence',
      // Every \p{N}, ½ and ① too; `Digits` of the library knows decimal ones only.
      pretokenizers: [
        { type: 'Split', pattern: { Regex: '\\p{N}' }, behavior: 'Isolated', invert: false },
        byteLevel(true),
      ],
    },
  },
  'llama-bpe': { cut: split(LLAMA_3), whole: true },
  /** Of GPT-NeoX and OLMo 1, whose tokenizer.json also has NFC. */
  olmo: { cut: byteLevel(true), normalizer: { type: 'NFC' } },
  /** Of OLMo 2. */
  dbrx: { cut: split(LLAMA_3) },
  qwen2: { cut: split(QWEN_2), normalizer: { type: 'NFC' } },
};

/**
 * The tokenizer inside a GGUF file in the form of a model folder's `tokenizer.json` and `tokenizer_config.json`, for
 * `loadTokenizer`. Byte-level BPE (`gpt2`) of the usual cuts, and SentencePiece BPE (`llama`), whose merges are the pairs that make
 * a piece, best score first.
 * @throws PreludeError `bad-tokenizer` where there is none, or one of another kind, by name
 */
export function ggufTokenizer(metadata: Metadata): { tokenizerJson: unknown; tokenizerConfigJson: unknown } {
  const get = (key: string) => metadata[`tokenizer.ggml.${key}`];
  const kind = get('model');
  const tokens = get('tokens');
  if (!isStrings(tokens) || tokens.length === 0) throw bad('it holds no tokenizer.');
  const types = numbersOf(get('token_type') ?? tokens.map(() => 1), 'token types', tokens.length);
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const name = (key: string) => {
    const id = get(key);
    return typeof id === 'number' ? tokens[id] : undefined;
  };
  const special = tokens.flatMap((content, id) =>
    types[id] === CONTROL || types[id] === USER_DEFINED
      ? [
          {
            id,
            content,
            special: types[id] === CONTROL,
            normalized: false,
            single_word: false,
            lstrip: false,
            rstrip: false,
          },
        ]
      : [],
  );
  const bos = get('add_bos_token') === true ? name('bos_token_id') : undefined;
  const shared = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    post_processor: bos === undefined ? null : beginWith(bos, vocab[bos]!),
  };
  const tokenizerConfigJson = {
    bos_token: name('bos_token_id'),
    eos_token: name('eos_token_id'),
    pad_token: name('padding_token_id'),
    unk_token: name('unknown_token_id'),
  };
  if (kind === 'gpt2') {
    const cut = get('pre');
    const pre =
      typeof cut === 'string' && Object.hasOwn(PRE_TOKENIZERS, cut) ? PRE_TOKENIZERS[cut] : undefined;
    const merges = get('merges');
    if (!pre) throw bad(`its tokenizer cuts texts in the way ${shown(cut)}, which is not known here.`);
    if (!isStrings(merges)) throw bad('its tokenizer has no merges.');
    return {
      tokenizerConfigJson,
      tokenizerJson: {
        ...shared,
        normalizer: pre.normalizer ?? null,
        pre_tokenizer: pre.cut,
        decoder: byteLevel(true),
        model: { type: 'BPE', vocab, merges, ignore_merges: pre.whole ?? false, byte_fallback: false },
      },
    };
  }
  if (kind !== 'llama') throw bad(`its tokenizer is of the kind ${shown(kind)}, which is not known here.`);
  const scores = numbersOf(get('scores'), 'scores', tokens.length);
  const space = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const prefixed = get('add_space_prefix') !== false;
  return {
    tokenizerConfigJson,
    tokenizerJson: {
      ...shared,
      normalizer: prefixed
        ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, space] }
        : space,
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        type: 'BPE',
        vocab,
        merges: mergesOf(tokens, types, scores),
        unk_token: name('unknown_token_id') ?? null,
        fuse_unk: true,
        byte_fallback: true,
      },
    },
  };
}

/** All pairs of pieces that make a piece, the piece's best score first (as transformers converts SentencePiece models). */
function mergesOf(
  tokens: readonly string[],
  types: readonly number[],
  scores: readonly number[],
): [string, string][] {
  const work = tokens.reduce((sum, { length }) => sum + length * length, 0);
  if (work > MAX_MERGE_WORK)
    throw bad('the pieces of its tokenizer are longer than those of any published one.');
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges: {
    pair: [string, string];
    score: number;
    lengths: [number, number];
    ids: [number, number];
  }[] = [];
  tokens.forEach((token, id) => {
    if (types[id] === CONTROL || types[id] === BYTE) return;
    const letters = [...token];
    for (let at = 1; at < letters.length; at++) {
      const pair: [string, string] = [letters.slice(0, at).join(''), letters.slice(at).join('')];
      const parts = pair.map((part) => ids.get(part));
      if (parts[0] === undefined || parts[1] === undefined) continue;
      merges.push({
        pair,
        score: scores[id]!,
        lengths: [at, letters.length - at],
        ids: [parts[0], parts[1]],
      });
    }
  });
  merges.sort(
    (a, b) =>
      b.score - a.score ||
      b.lengths[0] - a.lengths[0] ||
      b.lengths[1] - a.lengths[1] ||
      a.ids[0] - b.ids[0] ||
      a.ids[1] - b.ids[1],
  );
  return merges.map(({ pair }) => pair);
}

const beginWith = (token: string, id: number) => ({
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [
    { SpecialToken: { id: token, type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { Sequence: { id: 'B', type_id: 1 } },
  ],
  special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
});

/** One number a token. */
function numbersOf(value: unknown, what: string, count: number): readonly number[] {
  if (!Array.isArray(value) || value.length !== count || !value.every(Number.isFinite))
    throw bad(`its tokenizer has no ${what}, one number for each of its ${count} pieces.`);
  return value as number[];
}

const shown = (value: unknown) =>
  typeof value === 'string' ? `"${value.slice(0, 80)}"` : `of type ${typeof value}`;

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const bad = (what: string): PreludeError =>
  new PreludeError('bad-tokenizer', `GGUF file: ${what}`, {
    where: 'tokenizer.ggml',
    remedy: 'Use the model as a folder with its tokenizer.json, or another GGUF file of it.',
  });
