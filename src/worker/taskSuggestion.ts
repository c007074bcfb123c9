import {
  type Example,
  labelCounts,
  MAX_CLASSES,
  makeExamples,
  type Sample,
  type Table,
} from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import {
  answerJoiner,
  DEFAULT_TEMPLATES,
  inspectVerbalizers,
  parseTemplate,
  render,
  type Tokenizer,
} from '../text/index.ts';
import type { TextModel } from './preparedTask.ts';
import type { Roles, TaskSettings } from './protocol.ts';
import { fieldsOf } from './taskTokens.ts';

/** The reference recipe's limit (nano-t5's `evaluate.py`, `--cap`), and how far long texts raise it. */
const MAX_TOKENS = { usual: 48, most: 128 };
/** Rows whose lengths are looked at. */
const LOOKED_AT = 2000;

/**
 * What a task looks like before anybody changes it. A sample brings its own verbalizers and written prompt; for a person's
 * file they are made of the labels. Without a tokenizer, labels stand as they are and the limit is the usual one.
 */
export function suggestSettings(
  table: Table,
  roles: Roles,
  sample: Sample | undefined,
  model: TextModel | undefined,
): TaskSettings {
  const tokenizer = model?.tokenizer;
  const examples = examplesOf(table, roles);
  const counts = labelCounts(examples);
  const labels = counts.length <= MAX_CLASSES ? counts.map(({ label }) => label) : [];
  const template = roles.text2 === undefined ? DEFAULT_TEMPLATES.single : DEFAULT_TEMPLATES.pair;
  const joiner = model?.continues ? answerJoiner(model.tokenizer, template) : '';
  const words = sample ? new Map(Object.entries(sample.verbalizers)) : wordsFor(labels, tokenizer, joiner);
  return {
    roles,
    template,
    writtenPrompt: sample?.writtenPrompt ?? writtenPrompt([...words.values()], roles),
    verbalizers: Object.fromEntries(words),
    appendEos: needsEnd(words, tokenizer, joiner),
    maxTokens: tokenizer ? suggestMaxTokens(examples, template, tokenizer) : MAX_TOKENS.usual,
    split: { kind: 'stratified', train: 0.7, dev: 0.15, test: 0.15, seed: 7 },
  };
}

/** None where the labels cannot be learned: setting the task says why. */
function examplesOf(table: Table, roles: Roles): Example[] {
  try {
    return makeExamples(table, roles).examples;
  } catch (error) {
    if (error instanceof PreludeError && error.code === 'bad-labels') return [];
    throw error;
  }
}

/** As the samples' written prompts read. Braces of a label are doubled, as templates want. */
function writtenPrompt(words: readonly string[], roles: Roles): string {
  if (words.length === 0) return '';
  const choices = words.map((word) => word.replace(/[{}]/g, '$&$&')).join(' or ');
  return `${choices} : {text}${roles.text2 === undefined ? '' : ' {text2}'}`;
}

/**
 * A word for each label that the model can say: the label itself, without underscores or capitals where that takes fewer
 * tokens, behind what joins them to the input. Labels that no tokens are left of, or that are the same to the model as another, get a number.
 */
export function wordsFor(
  labels: readonly string[],
  tokenizer: Tokenizer | undefined,
  joiner = '',
): Map<string, string> {
  const words = new Map<string, string>();
  const taken = new Set<string>();
  const keyOf = (word: string) => (tokenizer ? tokenizer.encode(joiner + word).join() : word);
  const usable = (word: string) => {
    if (!tokenizer) return !taken.has(word);
    const ids = tokenizer.encode(joiner + word);
    const known = tokenizer.unkId === undefined || !ids.includes(tokenizer.unkId);
    return ids.length > 0 && known && !taken.has(ids.join());
  };
  const length = (word: string) => tokenizer?.encode(joiner + word).length ?? 0;
  const take = (label: string, word: string) => {
    words.set(label, word);
    taken.add(keyOf(word));
  };
  for (const label of labels) {
    const spaced = label.replace(/_+/g, ' ').replace(/\s+/g, ' ').trim() || label;
    const candidates = tokenizer ? [label, spaced, spaced.toLowerCase()] : [spaced, label];
    const [best] = candidates.filter(usable).sort((a, b) => length(a) - length(b));
    if (best !== undefined) take(label, best);
  }
  // Only now, so that no number is taken from a label that is one.
  const numbers = Array.from({ length: 2 * labels.length }, (_, i) => String(i + 1));
  for (const label of labels) if (!words.has(label)) take(label, numbers.find(usable) ?? label);
  return new Map(labels.map((label) => [label, words.get(label)!]));
}

/** Whether one verbalizer begins another: then only an end token lets the longer one win. */
function needsEnd(
  words: ReadonlyMap<string, string>,
  tokenizer: Tokenizer | undefined,
  joiner: string,
): boolean {
  if (tokenizer) {
    const labels = [...words].map(([label, word]) => ({ label, words: [word] }));
    const { issues } = inspectVerbalizers(labels, tokenizer, { appendEos: false, joiner });
    return tokenizer.eosId !== undefined && issues.some(({ kind }) => kind === 'prefix');
  }
  const all = [...words.values()];
  return all.some((word) => all.some((other) => other !== word && other.startsWith(word)));
}

/** Room for 19 of 20 rows, in steps of 8. */
function suggestMaxTokens(examples: readonly Example[], source: string, tokenizer: Tokenizer): number {
  const template = parseTemplate(source);
  const stride = Math.max(1, Math.ceil(examples.length / LOOKED_AT));
  const lengths = examples
    .filter((_, index) => index % stride === 0)
    .map((example) => tokenizer.encode(render(template, fieldsOf(example)), { special: true }).length)
    .sort((a, b) => a - b);
  const p95 = lengths[Math.min(lengths.length - 1, Math.floor(0.95 * lengths.length))] ?? 0;
  return Math.min(MAX_TOKENS.most, Math.max(MAX_TOKENS.usual, 8 * Math.ceil(p95 / 8)));
}
