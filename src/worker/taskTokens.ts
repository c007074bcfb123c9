import type { Example } from '../data/index.ts';
import { encodeExamples, render, type Template, type Tokenizer, truncate } from '../text/index.ts';
import type { Speedometer } from './progress.ts';

/** Token ids are remembered up to this length, so that another limit on the Data station costs nothing. */
const KEPT = 512;
/** Rows between two looks at who else wants to be served. */
const CHUNK = 1000;

/** One row as the model reads it. */
export interface Encoded {
  /** At most as many as were asked for. */
  ids: number[];
  /** Before truncation. */
  length: number;
}

/** Remembers the tokens of each example for one template and one tokenizer: typing elsewhere reads nothing anew. */
export interface TokenCache {
  /** In the examples' order. @throws PreludeError 'cancelled' */
  encode(
    examples: readonly Example[],
    template: Template,
    tokenizer: Tokenizer,
    maxTokens: number,
    options: { onProgress: Speedometer; signal: AbortSignal },
  ): Promise<Encoded[]>;
}

export function createTokenCache(): TokenCache {
  let key: { source: string; tokenizer: Tokenizer; kept: number } | undefined;
  /** Rows that a mend leaves as they are remain the same objects. */
  let known = new WeakMap<Example, Encoded>();

  return {
    async encode(examples, template, tokenizer, maxTokens, { onProgress, signal }) {
      const kept = Math.max(KEPT, maxTokens);
      if (key?.source !== template.source || key.tokenizer !== tokenizer || key.kept < kept) {
        key = { source: template.source, tokenizer, kept };
        known = new WeakMap();
      }
      // A newer task may start its own memory while this one waits.
      const memory = known;
      const { kept: limit } = key;
      const missing = examples.filter((example) => !memory.has(example));
      for (let start = 0; start < missing.length; start += CHUNK) {
        const chunk = missing.slice(start, start + CHUNK);
        const texts = chunk.map((example) => render(template, fieldsOf(example)));
        const { ids } = await encodeExamples(texts, tokenizer, Number.POSITIVE_INFINITY, {
          signal,
          onProgress: ({ done }) => onProgress(start + done, missing.length),
        });
        chunk.forEach((example, i) => {
          const full = ids[i]!;
          memory.set(example, { ids: truncate(full, limit, tokenizer.eosId), length: full.length });
        });
        await new Promise((resolve) => setTimeout(resolve));
      }
      return examples.map((example) => {
        const { ids, length } = memory.get(example)!;
        if (length <= maxTokens) return { ids, length };
        return { ids: truncate(ids, maxTokens, tokenizer.eosId), length };
      });
    },
  };
}

/** The fields that a template may name. */
export function fieldsOf({
  text,
  text2,
}: {
  text: string;
  text2?: string | undefined;
}): Record<string, string> {
  return text2 === undefined ? { text } : { text, text2 };
}
