/** For tests and benches only: ranges of packed sequences. In the engine the batch makes them. */

export interface Packed {
  queryRanges: Uint32Array;
  keyRanges: Uint32Array;
  queries: number;
  keys: number;
}

/**
 * Packs sequences: `pairs` are their [query length, key length], laid one after another behind a shared prefix. In each, query i sees
 * keys i - before .. i + after, by position in the sequence; a causal prefix sees itself.
 */
export function pack(
  pairs: [queries: number, keys: number][],
  { before = Number.POSITIVE_INFINITY, after = Number.POSITIVE_INFINITY, prefix = 0 } = {},
): Packed {
  const queries: number[][] = [];
  const keys: number[][] = [];
  const total = prefix + pairs.reduce((sum, [q]) => sum + q, 0);
  for (let i = 0; i < prefix; i++) {
    queries.push([0, i + 1, 0, prefix]);
    keys.push([i, total, 0, 0]);
  }
  const relative = (rel: number) => (prefix > 0 ? 0 : rel);
  for (const [q, k] of pairs) {
    const [q0, k0] = [queries.length, keys.length];
    for (let i = 0; i < q; i++) {
      const start = Math.min(k, Math.max(0, i - before));
      const end = Math.max(start, Math.min(k, i + after + 1));
      queries.push([k0 + start, k0 + end, relative(start - i), 0]);
    }
    for (let j = 0; j < k; j++) {
      const start = Math.min(q, Math.max(0, j - after));
      const end = Math.max(start, Math.min(q, j + before + 1));
      keys.push([q0 + start, q0 + end, j - start, 0]);
    }
  }
  return {
    queryRanges: Uint32Array.from(queries.flat()),
    keyRanges: Uint32Array.from(keys.flat()),
    queries: queries.length,
    keys: keys.length,
  };
}
