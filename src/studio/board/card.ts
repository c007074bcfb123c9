/** Run cards: what a run reached, with what, as JSON that is copied from one studio and pasted into another. */
import * as v from 'valibot';
import { PreludeError } from '../../errors.ts';
import { recipeSchema } from '../../tuning/recipe.ts';
import { bestAccuracy, type RunView } from '../stores/runs.ts';

const FORMAT = 'prelude-run/1';
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

const cardSchema = v.object({
  format: v.literal(FORMAT),
  name,
  model: v.object({ id: name, title: name, fingerprint: v.optional(v.pipe(v.string(), v.maxLength(128))) }),
  data: name,
  recipe: recipeSchema,
  /** Shares of 1; `test` of rows that the run never met, with Wilson's 95 % interval. */
  accuracy: v.object({
    dev: share,
    test: v.optional(
      v.object({ accuracy: share, low: share, high: share, n: v.pipe(v.number(), v.integer()) }),
    ),
  }),
  /** Learned numbers, and their bytes as 32-bit floats. */
  learned: v.pipe(v.number(), v.integer(), v.minValue(1)),
  bytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  steps: v.pipe(v.number(), v.integer(), v.minValue(0)),
  seconds: v.pipe(v.number(), v.minValue(0)),
});
export type RunCard = v.InferOutput<typeof cardSchema>;

/** A run's card; undefined before its first measurement on dev. */
export function cardOf(run: RunView, fingerprint: string | undefined): RunCard | undefined {
  const dev = bestAccuracy(run);
  if (dev === undefined) return undefined;
  return {
    format: FORMAT,
    name: run.name,
    model: { id: run.modelId, title: run.modelTitle, ...(fingerprint ? { fingerprint } : {}) },
    data: run.dataName,
    recipe: run.recipe,
    accuracy: { dev, ...(run.test ? { test: run.test } : {}) },
    learned: run.learned,
    bytes: run.learned * 4,
    steps: run.step,
    seconds: Math.round(run.seconds * 10) / 10,
  };
}

/** Cards out of pasted text: one or many, with anything between them. @throws PreludeError `bad-card` saying which is off */
export function readCards(text: string): RunCard[] {
  const parts = splitObjects(text);
  const bad = (which: number, why: string) =>
    new PreludeError('bad-card', `Card ${which} of ${Math.max(1, parts.length)}: ${why}`, {
      remedy: 'Copy the card again with “Copy run card” in the list of runs, and paste all of it.',
    });
  if (parts.length === 0) throw bad(1, 'no JSON was found in the pasted text.');
  return parts.map((part, i) => {
    let value: unknown;
    try {
      value = JSON.parse(part);
    } catch {
      throw bad(i + 1, 'this is no whole JSON.');
    }
    const result = v.safeParse(cardSchema, value);
    if (result.success) return result.output;
    const issue = result.issues[0];
    throw bad(i + 1, `${v.getDotPath(issue) ?? 'value'}: ${issue.message}`);
  });
}

/** The outermost `{...}` of a text; braces in strings do not count. */
export function splitObjects(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (depth > 0 && c === '"') quoted = !quoted;
    else if (quoted) {
      if (c === '\\') i++;
    } else if (c === '{') {
      if (depth++ === 0) start = i;
    } else if (c === '}' && depth > 0 && --depth === 0) parts.push(text.slice(start, i + 1));
  }
  if (depth > 0) parts.push(text.slice(start));
  return parts;
}

export interface RankedCard {
  card: RunCard;
  /** The test accuracy where it was measured, else dev. */
  accuracy: number;
  byAccuracy: number;
  byBytes: number;
}

/** Places by accuracy and by bytes, ties sharing one; the most accurate first, the smaller before the larger. */
export function rank(cards: readonly RunCard[]): RankedCard[] {
  const accuracyOf = ({ accuracy }: RunCard) => accuracy.test?.accuracy ?? accuracy.dev;
  return cards
    .map((card) => ({
      card,
      accuracy: accuracyOf(card),
      byAccuracy: 1 + cards.filter((other) => accuracyOf(other) > accuracyOf(card)).length,
      byBytes: 1 + cards.filter((other) => other.bytes < card.bytes).length,
    }))
    .sort((a, b) => b.accuracy - a.accuracy || a.card.bytes - b.card.bytes);
}
