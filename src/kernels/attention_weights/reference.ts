import { type AttentionCase, attentionReference, eachRow } from '../attention/reference.ts';

/** The slow clear version, in float64: [queries * keys, heads] of the rows asked for. */
export function attentionWeightsReference(
  c: AttentionCase,
  queries: { first: number; count: number },
  keys: { first: number; count: number },
): Float64Array {
  const { lse } = attentionReference(c);
  const weights = new Float64Array(queries.count * keys.count * c.heads);
  eachRow(c, (i, head, seen, scores) => {
    const row = i - queries.first;
    if (row < 0 || row >= queries.count) return;
    seen.forEach((j, n) => {
      const column = j - keys.first;
      if (column < 0 || column >= keys.count) return;
      weights[(row * keys.count + column) * c.heads + head] = Math.exp(scores[n]! - lse[i * c.heads + head]!);
    });
  });
  return weights;
}
