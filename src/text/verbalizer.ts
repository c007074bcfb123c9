import { PreludeError } from '../errors.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A word (or several) that stands for a label: what the decoder is to say. */
export interface Verbalizer {
  label: string;
  text: string;
  /** Token ids of the text, the end token last where asked for. */
  ids: number[];
}

/** The words that stand for a label; usually one, the label itself. */
export interface LabelWords {
  label: string;
  words: readonly string[];
}

/** Something about the verbalizers a person should know. An error makes the task impossible. */
export interface VerbalizerIssue {
  level: 'error' | 'warning' | 'note';
  kind: 'no-words' | 'same-ids' | 'unknown-token' | 'prefix' | 'several-tokens' | 'no-end-token';
  labels: string[];
  message: string;
}

/**
 * `appendEos`: the end token closes each verbalizer, so that a label that begins another can win over it. `joiner`: what stands
 * between the input and the word (see `answerJoiner`); its tokens are in `ids`, it is not in `text`.
 */
export interface VerbalizerOptions {
  appendEos: boolean;
  joiner?: string;
}

/**
 * What joins a template's text and the answer that goes on with it: a space where the tokenizer has other tokens for a word within a
 * text than for one at its beginning (byte-level BPE, Gemma's SentencePiece), unless the template ends in white space. Empty for T5
 * and Llama 2, whose SentencePiece puts a mark before the first word too. Only for decoders, whose answer goes on with their input.
 */
export function answerJoiner(tokenizer: Pick<Tokenizer, 'encode'>, template: string): '' | ' ' {
  if (/\s$/.test(template)) return '';
  const [alone, spaced, both] = ['b', ' b', 'a b'].map((text) => tokenizer.encode(text).join());
  const before = tokenizer.encode('a').join();
  return alone !== spaced && both === `${before},${spaced}` && both !== `${before},${alone}` ? ' ' : '';
}

/**
 * The verbalizers of a task, one for each word of each label, in order.
 * @throws PreludeError 'bad-labels' for the first issue that is an error
 */
export function makeVerbalizers(
  labels: readonly LabelWords[],
  tokenizer: Tokenizer,
  options: VerbalizerOptions,
): Verbalizer[] {
  const { verbalizers, issues } = inspectVerbalizers(labels, tokenizer, options);
  const error = issues.find((issue) => issue.level === 'error');
  if (!error) return verbalizers;
  throw new PreludeError('bad-labels', error.message, {
    where: error.labels.join(', '),
    remedy: 'Choose another verbalizer for one of these labels: a short, common word.',
  });
}

/** The verbalizers with everything worth saying about them, errors included, as data for a form. */
export function inspectVerbalizers(
  labels: readonly LabelWords[],
  tokenizer: Tokenizer,
  { appendEos, joiner = '' }: VerbalizerOptions,
): { verbalizers: Verbalizer[]; issues: VerbalizerIssue[] } {
  const issues: VerbalizerIssue[] = [];
  const { eosId } = tokenizer;
  if (appendEos && eosId === undefined)
    issues.push({
      level: 'error',
      kind: 'no-end-token',
      labels: [],
      message: 'The tokenizer has no end token.',
    });
  const bare: Verbalizer[] = [];
  for (const { label, words } of labels) {
    const own = words.map((text) => ({ label, text, ids: tokenizer.encode(joiner + text) }));
    for (const each of own.filter(({ ids }) => ids.length > 0)) bare.push(each);
    if (own.length === 0 || own.some(({ ids }) => ids.length === 0))
      issues.push({
        level: 'error',
        kind: 'no-words',
        labels: [label],
        message: `The label "${label}" has a verbalizer without any text for the model.`,
      });
  }
  issues.push(...findCollisions(bare, tokenizer, appendEos));
  for (const { label, text, ids } of bare) issues.push(...wordIssues(label, text, ids, tokenizer));
  const verbalizers = bare.map((each) =>
    appendEos && eosId !== undefined ? { ...each, ids: [...each.ids, eosId] } : each,
  );
  return { verbalizers, issues };
}

/** Verbalizers that are the same tokens, or where one begins another and no end token tells them apart. */
function findCollisions(
  verbalizers: readonly Verbalizer[],
  tokenizer: Tokenizer,
  appendEos: boolean,
): VerbalizerIssue[] {
  const issues: VerbalizerIssue[] = [];
  const byIds = new Map<string, Verbalizer>();
  for (const each of verbalizers) {
    const key = each.ids.join();
    const other = byIds.get(key);
    if (!other) byIds.set(key, each);
    else if (other.label !== each.label)
      issues.push({
        level: 'error',
        kind: 'same-ids',
        labels: [other.label, each.label],
        message:
          `The labels "${other.label}" and "${each.label}" are the same for this model: "${other.text}" and ` +
          `"${each.text}" both become ${pieces(each.ids, tokenizer)}.`,
      });
  }
  if (appendEos) return issues;
  for (const each of verbalizers)
    for (let length = 1; length < each.ids.length; length++) {
      const other = byIds.get(each.ids.slice(0, length).join());
      if (other && other.label !== each.label)
        issues.push({
          level: 'warning',
          kind: 'prefix',
          labels: [other.label, each.label],
          message:
            `"${other.text}" (${other.label}) begins "${each.text}" (${each.label}): without an end token the shorter one ` +
            'always scores at least as high. Let verbalizers end in the end token, or choose other words.',
        });
    }
  return issues;
}

function wordIssues(
  label: string,
  text: string,
  ids: readonly number[],
  tokenizer: Tokenizer,
): VerbalizerIssue[] {
  const issues: VerbalizerIssue[] = [];
  if (tokenizer.unkId !== undefined && ids.includes(tokenizer.unkId))
    issues.push({
      level: 'warning',
      kind: 'unknown-token',
      labels: [label],
      message: `The model has no token for a part of "${text}" (${pieces(ids, tokenizer)}): it cannot say it.`,
    });
  if (ids.length > 1)
    issues.push({
      level: 'note',
      kind: 'several-tokens',
      labels: [label],
      message: `"${text}" is ${ids.length} tokens: ${pieces(ids, tokenizer)}. One common word is learned faster.`,
    });
  return issues;
}

function pieces(ids: readonly number[], tokenizer: Tokenizer): string {
  return ids.map((id) => tokenizer.token(id)).join(' ');
}
