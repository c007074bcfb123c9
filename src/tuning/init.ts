import { seededRandom, shuffle } from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import type { InitSettings } from './recipe.ts';

/** What initialisers draw from. */
export interface Vocabulary {
  /** [V, d] row-major. */
  embedding: Float32Array;
  width: number;
  /** Token ids from the most to the least likely, without special tokens. */
  byFrequency: readonly number[];
  token(id: number): string;
  /** Token ids of a text, without the end token. */
  encode(text: string): number[];
}

export interface StartedPrompt {
  /** [P, d] row-major. */
  values: Float32Array<ArrayBuffer>;
  /** The word each row started from; undefined for random rows. */
  startedFrom: (string | undefined)[];
}

/**
 * Where a soft prompt starts (Lester et al. 2021, section 3.2; `prompts.py` of google-research/prompt-tuning).
 * @param labels the verbalizers' token ids, for the class-label start.
 */
export function startPrompt(
  init: InitSettings,
  length: number,
  seed: number,
  vocabulary: Vocabulary,
  labels: readonly (readonly number[])[],
): StartedPrompt {
  const random = seededRandom(seed);
  const { width } = vocabulary;
  const values = new Float32Array(length * width);
  const startedFrom: (string | undefined)[] = new Array(length).fill(undefined);
  /** Row p becomes the mean of these tokens' embeddings. */
  const fill = (p: number, tokens: readonly number[]) => {
    for (const token of tokens)
      for (let i = 0; i < width; i++)
        values[p * width + i] += vocabulary.embedding[token * width + i] / tokens.length;
    startedFrom[p] = tokens.map((token) => vocabulary.token(token)).join('');
  };
  const fillFromVocabulary = (from: number, mostLikely: number) => {
    const pool = shuffle(vocabulary.byFrequency.slice(0, mostLikely), random);
    if (pool.length === 0) throw new Error('the vocabulary has no ordinary tokens');
    for (let p = from; p < length; p++) fill(p, [pool[(p - from) % pool.length]]);
  };

  switch (init.kind) {
    case 'random':
      for (let i = 0; i < values.length; i++) values[i] = (2 * random() - 1) * init.range;
      break;
    case 'vocabulary':
      fillFromVocabulary(0, init.mostLikely);
      break;
    case 'labels':
      labels.slice(0, length).forEach((tokens, p) => {
        fill(p, tokens);
      });
      fillFromVocabulary(Math.min(labels.length, length), init.mostLikely);
      break;
    case 'text': {
      const tokens = vocabulary.encode(init.text);
      if (tokens.length === 0)
        throw new PreludeError('bad-recipe', `The text to start from, "${init.text}", has no tokens.`, {
          remedy: 'Write at least one word, or start from the vocabulary.',
        });
      for (let p = 0; p < length; p++) fill(p, [tokens[p % tokens.length]]);
    }
  }
  return { values, startedFrom };
}
