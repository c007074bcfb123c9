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

/** Visits every (query row, head, key row) pair that sees each other, with its score. */
export function eachPair(
  c: AttentionCase,
  visit: (i: number, head: number, j: number, score: number) => void,
): void {
  const rows = c.queryRanges.length / 4;
  for (let i = 0; i < rows; i++) {
    const [start, end, rel0, from] = c.queryRanges.subarray(4 * i, 4 * i + 4);
    const keys: number[] = [];
    if (c.prefix !== undefined) for (let j = from; j < c.prefix; j++) keys.push(j);
    for (let j = start; j < end; j++) if (c.prefix === undefined || !inHole(rel0, j - start)) keys.push(j);
    for (let head = 0; head < c.heads; head++)
      for (const j of keys) {
        let score = 0;
        for (let d = 0; d < c.headDim; d++)
          score += c.q.values[at(c, 'q', i, head, d)] * c.k.values[at(c, 'k', j, head, d)];
        score *= c.scale;
        if (c.cap) score = c.cap * Math.tanh(score / c.cap);
        if (c.bias) {
          const { reach, table } = c.bias;
          const relative = (rel0 | 0) + (j - start);
          score += table[head * (2 * reach + 1) + Math.max(-reach, Math.min(reach, relative)) + reach];
        }
        visit(i, head, j, score);
      }
  }
}

/** Whether a row lies in the gap of a range, as `AttentionSettings.prefix` has it. */
const inHole = (hole: number, at: number): boolean =>
  at >= (hole & 0xffff) && at < (hole & 0xffff) + (hole >>> 16);

/** Where value d of a query head's operand lies. */
function at(c: AttentionCase, operand: 'q' | 'k' | 'v', row: number, head: number, d: number): number {
  const { cols, column } = c[operand];
  const own = operand === 'q' ? head : Math.floor((head * c.kvHeads) / c.heads);
  return row * cols + column + own * c.headDim + d;
}

/** The slow clear version, in float64: out [M, heads * headDim] and lse [M, heads] (0 where a row sees nothing). */
export function attentionReference(c: AttentionCase): { out: Float64Array; lse: Float64Array } {
  const rows = c.queryRanges.length / 4;
  const top = new Float64Array(rows * c.heads).fill(Number.NEGATIVE_INFINITY);
  eachPair(c, (i, head, _, score) => {
    top[i * c.heads + head] = Math.max(top[i * c.heads + head], score);
  });
  const sum = new Float64Array(rows * c.heads);
  const out = new Float64Array(rows * c.heads * c.headDim);
  eachPair(c, (i, head, j, score) => {
    const p = Math.exp(score - top[i * c.heads + head]);
    sum[i * c.heads + head] += p;
    for (let d = 0; d < c.headDim; d++)
      out[(i * c.heads + head) * c.headDim + d] += p * c.v.values[at(c, 'v', j, head, d)];
  });
  return {
    out: out.map((value, index) => {
      const total = sum[Math.floor(index / c.headDim)];
      return total > 0 ? value / total : 0;
    }),
    lse: sum.map((total, index) => (total > 0 ? top[index] + Math.log(total) : 0)),
  };
}

/** Its gradients in float64, each of the shape of its matrix (zero outside the columns used), given d loss / d out. */
export function attentionGradient(
  c: AttentionCase,
  dout: ArrayLike<number>,
): { dq: Float64Array; dk: Float64Array; dv: Float64Array } {
  const { out, lse } = attentionReference(c);
  const dq = new Float64Array(c.q.values.length);
  const dk = new Float64Array(c.k.values.length);
  const dv = new Float64Array(c.v.values.length);
  eachPair(c, (i, head, j, score) => {
    const p = Math.exp(score - lse[i * c.heads + head]);
    let dp = 0;
    for (let d = 0; d < c.headDim; d++) {
      const o = (i * c.heads + head) * c.headDim + d;
      dp += dout[o] * (c.v.values[at(c, 'v', j, head, d)] - out[o]);
      dv[at(c, 'v', j, head, d)] += p * dout[o];
    }
    // Of a case with a cap and a bias the score holds both; cases have one at most.
    const slope = c.cap ? 1 - (score / c.cap) ** 2 : 1;
    for (let d = 0; d < c.headDim; d++) {
      dq[at(c, 'q', i, head, d)] += c.scale * slope * p * dp * c.k.values[at(c, 'k', j, head, d)];
      dk[at(c, 'k', j, head, d)] += c.scale * slope * p * dp * c.q.values[at(c, 'q', i, head, d)];
    }
  });
  return { dq, dk, dv };
}
