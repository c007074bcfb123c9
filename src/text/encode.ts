import { PreludeError } from '../errors.ts';
import type { Tokenizer } from './tokenizer.ts';

/** The rows of a data set as the model reads them. */
export interface EncodedExamples {
  /** Token ids of each row, special tokens included, at most `maxTokens` long. */
  ids: number[][];
  /** How many rows were longer than `maxTokens` and lost their end. */
  truncated: number;
  /** `lengthCounts[n]`: how many rows have n tokens, before truncation. */
  lengthCounts: number[];
}

/** How far the encoding is. */
export interface EncodeProgress {
  done: number;
  total: number;
}

/** Work between two pauses in which the page can draw and a cancel can arrive. */
const SLICE_MS = 30;

/**
 * Encodes rendered texts, in slices of a few milliseconds: 100,000 rows freeze nothing.
 * @param maxTokens longest input, special tokens included; at least 1
 * @throws PreludeError 'cancelled' when the signal says so
 */
export async function encodeExamples(
  texts: readonly string[],
  tokenizer: Tokenizer,
  maxTokens: number,
  options: { onProgress?: (progress: EncodeProgress) => void; signal?: AbortSignal } = {},
): Promise<EncodedExamples> {
  const result: EncodedExamples = { ids: [], truncated: 0, lengthCounts: [] };
  const { ids, lengthCounts } = result;
  const total = texts.length;
  let sliceStart = performance.now();
  const checkCancelled = () => {
    if (options.signal?.aborted)
      throw new PreludeError(
        'cancelled',
        `Reading the texts was cancelled after ${ids.length} of ${total} rows.`,
        {
          remedy: 'Start it again when you want it.',
        },
      );
  };
  checkCancelled();
  for (const text of texts) {
    const full = tokenizer.encode(text, { special: true });
    for (let n = lengthCounts.length; n <= full.length; n++) lengthCounts.push(0);
    lengthCounts[full.length] = lengthCounts[full.length]! + 1;
    if (full.length > maxTokens) result.truncated++;
    ids.push(truncate(full, maxTokens, tokenizer.eosId));
    if (performance.now() - sliceStart > SLICE_MS) {
      options.onProgress?.({ done: ids.length, total });
      await new Promise((resolve) => setTimeout(resolve));
      checkCancelled();
      sliceStart = performance.now();
    }
  }
  options.onProgress?.({ done: total, total });
  return result;
}

/** The first `maxTokens` ids; an end token at the end stays there, in the place of the last that fits. */
export function truncate(ids: readonly number[], maxTokens: number, eosId: number | undefined): number[] {
  if (ids.length <= maxTokens) return [...ids];
  if (eosId === undefined || ids[ids.length - 1] !== eosId) return ids.slice(0, maxTokens);
  return [...ids.slice(0, maxTokens - 1), eosId];
}

/** One bar of a histogram of lengths: rows with `from` to `to` tokens, both included. */
export interface LengthBin {
  from: number;
  to: number;
  count: number;
}

/** Bars of equal, round width over all lengths, at most `bins` of them; none for no rows. */
export function binLengths(lengthCounts: readonly number[], bins: number): LengthBin[] {
  const longest = lengthCounts.length - 1;
  if (longest < 0) return [];
  const width = niceWidth((longest + 1) / bins);
  const result: LengthBin[] = [];
  for (let from = 0; from <= longest; from += width) {
    const count = lengthCounts.slice(from, from + width).reduce((sum, each) => sum + each, 0);
    result.push({ from, to: from + width - 1, count });
  }
  return result;
}

/** The least of 1, 2, 5, 10, 20, 50, ... that is no less than `width`. */
function niceWidth(width: number): number {
  for (let power = 1; ; power *= 10)
    for (const step of [1, 2, 5]) if (step * power >= width) return step * power;
}
