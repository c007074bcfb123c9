/** One attention on plain numbers, as `attention` takes it. */
export interface AttentionCase {
  /** Matrices with their row widths and first columns. */
  q: { values: ArrayLike<number>; cols: number; column: number };
  k: { values: ArrayLike<number>; cols: number; column: number };
  v: { values: ArrayLike<number>; cols: number; column: number };
  heads: number;
  kvHeads: number;
  headDim: number;
  scale: number;
  cap?: number;
  bias?: { table: ArrayLike<number>; reach: number };
  /** [M, 4] */
  queryRanges: Uint32Array;
  prefix?: number;
}

/** Visits every query row and head with the key rows that it sees and their scores. */
export function eachRow(
  c: AttentionCase,
  visit: (i: number, head: number, keys: Int32Array, scores: Float64Array) => void,
): void {
  const rows = c.queryRanges.length / 4;
  for (let i = 0; i < rows; i++) {
    const [start, end, rel0, from] = c.queryRanges.subarray(4 * i, 4 * i + 4);
    const seen: number[] = [];
    if (c.prefix !== undefined) for (let j = from; j < c.prefix; j++) seen.push(j);
    for (let j = start; j < end; j++) if (c.prefix === undefined || !inHole(rel0, j - start)) seen.push(j);
    const keys = Int32Array.from(seen);
    for (let head = 0; head < c.heads; head++) {
      const scores = scoresOf(c, i, head, keys);
      if (c.bias) {
        const { reach, table } = c.bias;
        const middle = head * (2 * reach + 1) + reach;
        for (let n = 0; n < keys.length; n++)
          scores[n] += table[middle + Math.max(-reach, Math.min(reach, (rel0 | 0) + keys[n] - start))];
      }
      visit(i, head, keys, scores);
    }
  }
}

function scoresOf(c: AttentionCase, i: number, head: number, keys: Int32Array): Float64Array {
  const { headDim, scale, cap } = c;
  const [q, k] = [c.q.values, c.k.values];
  const ownQ = first(c, 'q', i, head);
  const scores = new Float64Array(keys.length);
  for (let n = 0; n < keys.length; n++) {
    const ownK = first(c, 'k', keys[n], head);
    let sum = 0;
    for (let d = 0; d < headDim; d++) sum += q[ownQ + d] * k[ownK + d];
    scores[n] = cap ? cap * Math.tanh((sum * scale) / cap) : sum * scale;
  }
  return scores;
}

/** Whether a row lies in the gap of a range, as `AttentionSettings.prefix` has it. */
const inHole = (hole: number, at: number): boolean =>
  at >= (hole & 0xffff) && at < (hole & 0xffff) + (hole >>> 16);

/** Where the values of a query head's operand begin. */
function first(c: AttentionCase, operand: 'q' | 'k' | 'v', row: number, head: number): number {
  const { cols, column } = c[operand];
  const own = operand === 'q' ? head : Math.floor((head * c.kvHeads) / c.heads);
  return row * cols + column + own * c.headDim;
}

/** The slow clear version, in float64: out [M, heads * headDim] and lse [M, heads] (0 where a row sees nothing). */
export function attentionReference(c: AttentionCase): { out: Float64Array; lse: Float64Array } {
  const { heads, headDim } = c;
  const values = c.v.values;
  const rows = c.queryRanges.length / 4;
  const lse = new Float64Array(rows * heads);
  const out = new Float64Array(rows * heads * headDim);
  eachRow(c, (i, head, keys, scores) => {
    if (keys.length === 0) return;
    const row = i * heads + head;
    const top = scores.reduce((a, b) => Math.max(a, b));
    lse[row] = top + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - top), 0));
    for (let n = 0; n < keys.length; n++) {
      const p = Math.exp(scores[n] - lse[row]);
      const v = first(c, 'v', keys[n], head);
      for (let d = 0; d < headDim; d++) out[row * headDim + d] += p * values[v + d];
    }
  });
  return { out, lse };
}

/**
 * Its gradients in float64, each of the shape of its matrix (zero outside the columns used), given d loss / d out.
 * @param forward what `attentionReference` gave
 */
export function attentionGradient(
  c: AttentionCase,
  dout: ArrayLike<number>,
  { out, lse } = attentionReference(c),
): { dq: Float64Array; dk: Float64Array; dv: Float64Array } {
  const { heads, headDim, scale, cap } = c;
  const [qs, ks, vs] = [c.q.values, c.k.values, c.v.values];
  const dq = new Float64Array(qs.length);
  const dk = new Float64Array(ks.length);
  const dv = new Float64Array(vs.length);
  eachRow(c, (i, head, keys, scores) => {
    const row = i * heads + head;
    const o = row * headDim;
    const q = first(c, 'q', i, head);
    for (let n = 0; n < keys.length; n++) {
      const k = first(c, 'k', keys[n], head);
      const v = first(c, 'v', keys[n], head);
      const p = Math.exp(scores[n] - lse[row]);
      let dp = 0;
      for (let d = 0; d < headDim; d++) {
        dp += dout[o + d] * (vs[v + d] - out[o + d]);
        dv[v + d] += p * dout[o + d];
      }
      // Of a case with a cap and a bias the score holds both; cases have one at most.
      const ds = scale * (cap ? 1 - (scores[n] / cap) ** 2 : 1) * p * dp;
      for (let d = 0; d < headDim; d++) {
        dq[q + d] += ds * ks[k + d];
        dk[k + d] += ds * qs[q + d];
      }
    }
  });
  return { dq, dk, dv };
}
