import { BinaryReader } from '@bufbuild/protobuf/wire';
import { PreludeError } from '../errors.ts';
import { ggufTokenizer } from './gguf.ts';

/** `sentencepiece_model.proto`: the type of a piece, and the numbers of the fields that are read. */
const CONTROL = 3;
const USER_DEFINED = 4;
const UNIGRAM = 1;
const BPE = 2;
/** The largest published vocabularies (mT5, Gemma) have 256,000 pieces in 5 MB. */
const MAX_BYTES = 64 * 2 ** 20;
const MAX_PIECES = 2 ** 19;
const T5_SENTINELS = 100;

interface Piece {
  text: string;
  score: number;
  type: number;
}

interface SentencePieceModel {
  pieces: Piece[];
  kind: number;
  byteFallback: boolean;
  unkId: number;
  bosId: number;
  eosId: number;
  padId: number;
  charsmap: Uint8Array;
  dummyPrefix: boolean;
}

/**
 * A SentencePiece model (`spiece.model`, `tokenizer.model`) in the form of a model folder's `tokenizer.json`, for `loadTokenizer`:
 * what transformers makes of it. Unigram models are those of T5: their sentinels `<extra_id_99>` to `<extra_id_0>` come after the
 * pieces (as many as `extra_ids` of `tokenizer_config.json` says, 100 where it is silent), and `</s>` ends a text. BPE models
 * are those of Llama.
 * @param bytes the whole file
 * @param tokenizerConfigJson parsed `tokenizer_config.json`, if there is one
 * @throws PreludeError 'bad-tokenizer' for what is no SentencePiece model, or one of another kind
 * Source: sentencepiece_model.proto of SentencePiece 0.2; `convert_slow_tokenizer.py` and `tokenization_t5.py` of transformers.
 */
export function spieceTokenizer(
  bytes: Uint8Array,
  tokenizerConfigJson: unknown = {},
): { tokenizerJson: unknown; tokenizerConfigJson: unknown } {
  const model = parse(bytes);
  const config =
    typeof tokenizerConfigJson === 'object' && tokenizerConfigJson !== null
      ? (tokenizerConfigJson as Record<string, unknown>)
      : {};
  if (model.kind === BPE) return ofBpe(model, config);
  if (model.kind !== UNIGRAM)
    throw bad(`it is of the kind ${model.kind}; Prelude reads Unigram (1) and BPE (2).`);
  return { tokenizerJson: ofUnigram(model, sentinelsOf(config)), tokenizerConfigJson };
}

function ofUnigram(model: SentencePieceModel, sentinels: number): unknown {
  const { pieces } = model;
  const vocab: [string, number][] = pieces.map(({ text, score }) => [text, score]);
  for (let i = sentinels - 1; i >= 0; i--) vocab.push([`<extra_id_${i}>`, 0]);
  const isSpecial = (id: number) => id >= pieces.length || pieces[id]!.type === CONTROL || id === model.unkId;
  const added_tokens = vocab.flatMap(([content], id) =>
    isSpecial(id) || pieces[id]!.type === USER_DEFINED
      ? [
          {
            id,
            content,
            special: isSpecial(id),
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
          },
        ]
      : [],
  );
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const end = pieces[model.eosId]?.text;
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const token = { SpecialToken: { id: end, type_id: 0 } };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens,
    normalizer:
      model.charsmap.length > 0
        ? { type: 'Precompiled', precompiled_charsmap: toBase64(model.charsmap) }
        : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
    post_processor:
      end === undefined
        ? null
        : {
            type: 'TemplateProcessing',
            single: [sequence('A'), token],
            pair: [sequence('A'), token, sequence('B'), token],
            special_tokens: { [end]: { id: end, ids: [model.eosId], tokens: [end] } },
          },
    decoder: metaspace,
    model: { type: 'Unigram', unk_id: model.unkId, vocab, byte_fallback: model.byteFallback },
  };
}

/** GGUF files hold the same pieces, scores and types. */
function ofBpe(
  model: SentencePieceModel,
  config: Record<string, unknown>,
): { tokenizerJson: unknown; tokenizerConfigJson: unknown } {
  const id = (value: number) => (value >= 0 && value < model.pieces.length ? value : undefined);
  const { tokenizerJson, tokenizerConfigJson } = ggufTokenizer({
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': model.pieces.map(({ text }) => text),
    'tokenizer.ggml.scores': model.pieces.map(({ score }) => score),
    'tokenizer.ggml.token_type': model.pieces.map(({ type }) => type),
    'tokenizer.ggml.unknown_token_id': id(model.unkId),
    'tokenizer.ggml.bos_token_id': id(model.bosId),
    'tokenizer.ggml.eos_token_id': id(model.eosId),
    'tokenizer.ggml.padding_token_id': id(model.padId),
    'tokenizer.ggml.add_bos_token': config.add_bos_token ?? true,
    'tokenizer.ggml.add_space_prefix': model.dummyPrefix,
  });
  return { tokenizerJson, tokenizerConfigJson: { ...(tokenizerConfigJson as object), ...config } };
}

function sentinelsOf(config: Record<string, unknown>): number {
  const { extra_ids: given } = config;
  return typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= 10_000
    ? given
    : T5_SENTINELS;
}

function parse(bytes: Uint8Array): SentencePieceModel {
  if (bytes.byteLength > MAX_BYTES)
    throw bad(`it has ${bytes.byteLength} bytes; no vocabulary needs more than ${MAX_BYTES}.`);
  const model: SentencePieceModel = {
    pieces: [],
    // Proto2: what is not stored has these values.
    kind: UNIGRAM,
    byteFallback: false,
    unkId: 0,
    bosId: 1,
    eosId: 2,
    padId: -1,
    charsmap: new Uint8Array(0),
    dummyPrefix: true,
  };
  try {
    readFields(bytes, {
      1: (reader) => {
        if (model.pieces.push(pieceOf(reader.bytes())) > MAX_PIECES)
          throw bad(`it has more than ${MAX_PIECES} pieces, unlike any published one.`);
      },
      2: (reader) =>
        readFields(reader.bytes(), {
          3: (spec) => {
            model.kind = spec.int32();
          },
          35: (spec) => {
            model.byteFallback = spec.bool();
          },
          40: (spec) => {
            model.unkId = spec.int32();
          },
          41: (spec) => {
            model.bosId = spec.int32();
          },
          42: (spec) => {
            model.eosId = spec.int32();
          },
          43: (spec) => {
            model.padId = spec.int32();
          },
        }),
      3: (reader) =>
        readFields(reader.bytes(), {
          2: (spec) => {
            model.charsmap = spec.bytes();
          },
          3: (spec) => {
            model.dummyPrefix = spec.bool();
          },
        }),
    });
  } catch (cause) {
    if (cause instanceof PreludeError) throw cause;
    throw bad('it is no SentencePiece model, or it was cut off.', cause);
  }
  const { pieces } = model;
  if (pieces.length === 0) throw bad('it has no pieces, so it is no SentencePiece model.');
  if (!pieces[model.unkId])
    throw bad(`its unknown piece ${model.unkId} is none of its ${pieces.length} pieces.`);
  if (new Set(pieces.map(({ text }) => text)).size !== pieces.length) throw bad('a piece is there twice.');
  if (!pieces.every(({ score }) => Number.isFinite(score))) throw bad('the score of a piece is no number.');
  return model;
}

/** Calls the reader of each known field and skips the others. */
function readFields(bytes: Uint8Array, fields: Record<number, (reader: BinaryReader) => unknown>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read) read(reader);
    else reader.skip(wireType, field);
  }
}

function pieceOf(bytes: Uint8Array): Piece {
  const piece: Piece = { text: '', score: 0, type: 1 };
  readFields(bytes, {
    1: (reader) => {
      piece.text = reader.string(true);
    },
    2: (reader) => {
      piece.score = reader.float();
    },
    3: (reader) => {
      piece.type = reader.int32();
    },
  });
  return piece;
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

function bad(message: string, cause?: unknown): PreludeError {
  return new PreludeError('bad-tokenizer', `spiece.model: ${message}`, {
    where: 'spiece.model',
    remedy: 'Use the spiece.model or tokenizer.json that was published with the model.',
    cause,
  });
}
