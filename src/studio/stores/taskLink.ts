/**
 * The task's part of a link: what its settings have that the suggestion for the sample has not. Values go by short names
 * (`template=...&word.fact=yes&split=0.5,0.25,0.25,7`), so that a person can read and write them.
 */
import * as v from 'valibot';
import type { Roles, TaskSettings } from '../../worker/protocol.ts';

/** Only what is asked for; the rest is suggested. */
export type TaskWish = Partial<
  Pick<
    TaskSettings,
    'roles' | 'template' | 'writtenPrompt' | 'verbalizers' | 'appendEos' | 'maxTokens' | 'split'
  >
>;

/** Some programs cut longer links; a template of this length is no prompt any more. */
export const LONGEST_TASK = 1500;
const WORD = 'word.';
const ROLES = ['text', 'text2', 'label'] as const;

const share = v.pipe(v.string(), v.transform(Number), v.number(), v.minValue(0), v.maxValue(1));
const seed = v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(0));
const splitSchema = v.union([
  v.pipe(
    v.tuple([share, share, share, seed]),
    v.transform(([train, dev, test, s]) => ({ kind: 'stratified' as const, train, dev, test, seed: s })),
  ),
  v.pipe(
    v.tuple([v.literal('last-quarter'), share, seed]),
    v.transform(([kind, dev, s]) => ({ kind, dev, seed: s })),
  ),
]);

export function isTaskKey(key: string): boolean {
  return (
    ['template', 'written', 'eos', 'maxTokens', 'split'].includes(key) ||
    key.startsWith(WORD) ||
    ROLES.some((role) => key === `column.${role}`)
  );
}

/** What these settings have that the suggested ones have not; undefined where that is nothing. */
export function wishOf(settings: TaskSettings, suggested: TaskSettings): TaskWish | undefined {
  const wish: TaskWish = {};
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
  const ofRoles = ({ text, text2, label }: Roles) => [text, text2, label];
  if (differs(ofRoles(settings.roles), ofRoles(suggested.roles))) wish.roles = settings.roles;
  if (settings.template !== suggested.template) wish.template = settings.template;
  if (settings.writtenPrompt !== suggested.writtenPrompt) wish.writtenPrompt = settings.writtenPrompt;
  if (settings.appendEos !== suggested.appendEos) wish.appendEos = settings.appendEos;
  if (settings.maxTokens !== suggested.maxTokens) wish.maxTokens = settings.maxTokens;
  if (differs(settings.split, suggested.split)) wish.split = settings.split;
  const words = Object.entries(settings.verbalizers).filter(
    ([label, word]) => suggested.verbalizers[label] !== word,
  );
  if (words.length) wish.verbalizers = Object.fromEntries(words);
  return Object.keys(wish).length ? wish : undefined;
}

/** The suggestion with the wish in it. Suggest for the wish's columns, where it names some. */
export function withWish(suggested: TaskSettings, wish: TaskWish | undefined): TaskSettings {
  return { ...suggested, ...wish, verbalizers: { ...suggested.verbalizers, ...wish?.verbalizers } };
}

export function writeWish(wish: TaskWish): [key: string, value: string][] {
  const values: [string, string][] = [];
  const { roles, split } = wish;
  if (roles) for (const role of ROLES) if (roles[role]) values.push([`column.${role}`, roles[role]]);
  if (wish.template !== undefined) values.push(['template', wish.template]);
  if (wish.writtenPrompt !== undefined) values.push(['written', wish.writtenPrompt]);
  if (wish.appendEos !== undefined) values.push(['eos', wish.appendEos ? '1' : '0']);
  if (wish.maxTokens !== undefined) values.push(['maxTokens', String(wish.maxTokens)]);
  if (split)
    values.push([
      'split',
      (split.kind === 'stratified'
        ? [split.train, split.dev, split.test, split.seed]
        : [split.kind, split.dev, split.seed]
      ).join(','),
    ]);
  for (const [label, word] of Object.entries(wish.verbalizers ?? {})) values.push([`${WORD}${label}`, word]);
  return values;
}

/** Whether a link can carry it. */
export function fitsLink(wish: TaskWish): boolean {
  return writeWish(wish).reduce((sum, [key, value]) => sum + key.length + value.length, 0) <= LONGEST_TASK;
}

/** Takes one value of a link into the wish. Returns why it cannot, in words that follow the key. */
export function takeWish(wish: TaskWish, key: string, value: string): string | undefined {
  if (value.length > LONGEST_TASK) return `is longer than ${LONGEST_TASK} characters`;
  if (key.startsWith(WORD)) {
    if (value.trim() === '') return 'cannot be empty';
    wish.verbalizers = { ...wish.verbalizers, [key.slice(WORD.length)]: value };
  } else if (key === 'template') {
    if (!value.includes('{text}')) return 'has no {text}';
    wish.template = value;
  } else if (key === 'written') wish.writtenPrompt = value;
  else if (key === 'eos') wish.appendEos = value !== '0';
  else if (key === 'maxTokens') {
    const tokens = Number(value);
    if (!Number.isInteger(tokens) || tokens < 2 || tokens > 4096) return 'is no number from 2 to 4,096';
    wish.maxTokens = tokens;
  } else if (key === 'split') {
    const split = v.safeParse(splitSchema, value.split(','));
    if (!split.success) return 'is neither “train,dev,test,seed” nor “last-quarter,dev,seed”';
    wish.split = split.output;
  } else if (key.startsWith('column.')) {
    if (value === '') return 'cannot be empty';
    wish.roles = { text: '', label: '', ...wish.roles, [key.slice('column.'.length)]: value };
  }
  return undefined;
}
