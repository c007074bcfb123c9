import { PreludeError } from '../errors.ts';

export const TOKENIZER_REMEDY = 'Use the tokenizer.json that was published with the model.';

/** The largest published vocabularies (Gemma, Llama 4) have 262,144 ids. */
const MOST_IDS = 2 ** 21;
/** Normalisers within normalisers; published files go three deep. */
const MAX_DEPTH = 16;
/** The longest published pattern has 400 characters, as has the longest text that a part puts in. */
const MAX_STRING = 4000;
/** Objects and lists in all parts; published files have below 100. */
const MAX_PARTS = 10_000;
/** Times that the normalisers may lengthen a text. */
const MAX_GROWTH = 1000;
/** Characters in all pieces of a Unigram vocabulary, each a node of the library's trie: mT5's 250,000 pieces have 1.5 million. */
const MAX_TRIE = 2 ** 22;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const bad = (message: string): PreludeError =>
  new PreludeError('bad-tokenizer', `tokenizer.json: ${message}`, {
    where: 'tokenizer.json',
    remedy: TOKENIZER_REMEDY,
  });

/**
 * A parsed `tokenizer.json` whose parts are such as the library reads without asking: its arrays are as long as the largest id, and
 * its patterns run on every text, so neither may be what a file chooses freely.
 * @throws PreludeError 'bad-tokenizer' naming the part
 */
export function checkTokenizer(json: unknown): object {
  if (!isObject(json)) throw bad('it is no JSON object.');
  const { model, added_tokens: added = [], ...rest } = json;
  if (!isObject(model)) throw bad('it has no "model", so it is no tokenizer of the Hugging Face library.');
  checkVocabulary(model.vocab);
  const { unk_id: unknown } = model;
  if (Array.isArray(model.vocab) && unknown !== undefined && unknown !== null)
    if (!isId(unknown) || unknown >= model.vocab.length)
      throw bad(`its unknown piece is ${shown(unknown)}, of ${model.vocab.length} pieces.`);
  if (model.merges !== undefined) checkMerges(model.merges);
  if (!Array.isArray(added)) throw bad('its added_tokens are no list.');
  for (const token of added)
    if (!isObject(token) || !isId(token.id) || typeof token.content !== 'string' || token.content === '')
      throw bad(`an added token is ${shown(token)}, which is no token with an id below ${MOST_IDS}.`);
  checkParts(rest);
  if (growthOf(rest.normalizer) > MAX_GROWTH)
    throw bad(`its normalizer makes texts more than ${MAX_GROWTH} times as long.`);
  return {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...json,
    added_tokens: added,
  };
}

const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < MOST_IDS;

const isText = (value: unknown) => typeof value === 'string';

const shown = (value: unknown) => (JSON.stringify(value) ?? 'missing').slice(0, 80);

/** By piece (BPE, WordPiece), or a list of pieces with their scores (Unigram). */
function checkVocabulary(vocab: unknown): void {
  if (Array.isArray(vocab)) {
    if (vocab.length > MOST_IDS) throw bad(`its vocabulary has ${vocab.length} pieces.`);
    let characters = 0;
    for (const [i, entry] of vocab.entries()) {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !Number.isFinite(entry[1]))
        throw bad(`piece ${i} of its vocabulary is ${shown(entry)}, not a piece and its score.`);
      characters += entry[0].length;
    }
    if (characters > MAX_TRIE)
      throw bad(`the pieces of its vocabulary have ${characters} characters, unlike any published one.`);
  } else if (isObject(vocab)) {
    for (const [piece, id] of Object.entries(vocab))
      if (!isId(id))
        throw bad(
          `the piece ${shown(piece)} has the id ${shown(id)}, which is no number from 0 to ${MOST_IDS - 1}.`,
        );
  } else throw bad('its model has no vocabulary.');
}

function checkMerges(merges: unknown): void {
  const isMerge = (merge: unknown) =>
    typeof merge === 'string' ||
    (Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string'));
  if (!Array.isArray(merges)) throw bad('its merges are no list.');
  const wrong = merges.findIndex((merge) => !isMerge(merge));
  if (wrong >= 0) throw bad(`merge ${wrong} is ${shown(merges[wrong])}, not two pieces.`);
}

/** Normalisers, pre-tokenizers and so on: not too deep, not too many, and without patterns that never end. */
function checkParts(root: unknown): void {
  let parts = 0;
  const check = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return;
    if (depth > MAX_DEPTH) throw bad(`its parts are nested more than ${MAX_DEPTH} deep.`);
    if (++parts > MAX_PARTS || (Array.isArray(value) && value.length > MAX_PARTS))
      throw bad(`it has more than ${MAX_PARTS} parts.`);
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'pattern' && !(isObject(inner) && [inner.String, inner.Regex].some(isText)))
        throw bad(`the pattern ${shown(inner)} is neither a String nor a Regex.`);
      if (key === 'Regex' && !(typeof inner === 'string' && endsSoon(inner)))
        throw bad(`its pattern ${shown(inner)} could run for ever on some texts.`);
      if (key !== 'precompiled_charsmap' && typeof inner === 'string' && inner.length > MAX_STRING)
        throw bad(`its part "${key.slice(0, 40)}" is a text of ${inner.length} characters.`);
      check(inner, depth + 1);
    }
  };
  check(root, 0);
}

/** How many times as long a text can become: replacements one after another multiply. */
function growthOf(normalizer: unknown): number {
  if (!isObject(normalizer)) return 1;
  const { type, normalizers, pattern, content } = normalizer;
  if (type === 'Sequence' && Array.isArray(normalizers))
    return normalizers.reduce((growth: number, each) => growth * growthOf(each), 1);
  if (type !== 'Replace' || typeof content !== 'string' || !isObject(pattern)) return 1;
  // A regular expression may match nothing, between any two characters.
  return typeof pattern.String === 'string'
    ? Math.max(1, content.length / Math.max(1, pattern.String.length))
    : content.length + 1;
}

/**
 * Whether a regular expression has no repeated group that itself repeats or branches: such groups try exponentially many ways on a
 * text that does not match ("(a+)+$"), and a running expression cannot be stopped. Published patterns repeat classes only.
 */
export function endsSoon(pattern: string): boolean {
  const groups: { varies: boolean }[] = [{ varies: false }];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    const group = groups.at(-1)!;
    if (char === '\\') i++;
    else if (char === '[') {
      while (i < pattern.length && pattern[i] !== ']') i += pattern[i] === '\\' ? 2 : 1;
    } else if (char === '(') {
      groups.push({ varies: false });
      if (pattern[i + 1] === '?') i++;
    } else if (char === ')') {
      const inner = groups.pop()!;
      if (groups.length === 0) return false;
      if (inner.varies && /^[*+{]/.test(pattern.slice(i + 1))) return false;
      groups.at(-1)!.varies ||= inner.varies;
    } else if ('*+?{|'.includes(char)) group.varies = true;
  }
  return groups.length === 1;
}
