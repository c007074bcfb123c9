import { type AttentionCase, attentionReference, eachPair } from '../attention/reference.ts';

/** The slow clear version, in float64: [queries * keys, heads] of the rows asked for. */
export function attentionWeightsReference(
  c: AttentionCase,
  queries: { first: number; count: number },
  keys: { first: number; count: number },
): Float64Array {
  const { lse } = attentionReference(c);
  const weights = new Float64Array(queries.count * keys.count * c.heads);
  eachPair(c, (i, head, j, score) => {
    const [row, column] = [i - queries.first, j - keys.first];
    if (row < 0 || row >= queries.count || column < 0 || column >= keys.count) return;
    weights[(row * keys.count + column) * c.heads + head] = Math.exp(score - lse[i * c.heads + head]!);
  });
  return weights;
}
