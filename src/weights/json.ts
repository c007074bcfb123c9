/** The largest published file of JSON, Gemma's tokenizer, has 33 MB. */
export const MAX_JSON_BYTES = 64 * 2 ** 20;
const MAX_DEPTH = 64;
/** Gemma's tokenizer has 1.3 million values: pieces, ids, and half a million pairs of merges. */
const MAX_VALUES = 2 ** 21;
const MAX_CONTAINERS = 2 ** 20;

/**
 * Whether JSON asks for more than a file of its size may: `JSON.parse` takes seconds and a gigabyte for some ten million brackets
 * or keys. One look at each byte; says nothing of whether the rest is valid.
 * @returns what is too much, as the end of a sentence; undefined where nothing is
 */
export function jsonExcess(bytes: Uint8Array): string | undefined {
  let depth = 0;
  let values = 0;
  let containers = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} deep`;
        if (++containers > MAX_CONTAINERS) return `it has more than ${MAX_CONTAINERS} lists and objects`;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case 0x2c: // ,
        if (++values > MAX_VALUES) return `it has more than ${MAX_VALUES} values`;
        break;
      case 0x22:
        for (i++; i < bytes.length && bytes[i] !== 0x22; i++) if (bytes[i] === 0x5c) i++;
    }
  }
  return undefined;
}
