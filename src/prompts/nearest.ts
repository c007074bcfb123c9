import { seededNormals } from './random.ts';

export interface Neighbour {
  /** Row of the embedding: a token's id. */
  id: number;
  /** -1 to 1 */
  cosine: number;
}

export interface NearestOptions {
  /** Ids never named, such as padding and sentinels. */
  exclude?: ReadonlySet<number>;
}

/** L2 norm of each row of [N, width]. */
export function rowNorms(values: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const norms = new Float32Array(values.length / width);
  for (let i = 0; i < norms.length; i++) {
    let sum = 0;
    for (let j = i * width; j < (i + 1) * width; j++) sum += values[j]! * values[j]!;
    norms[i] = Math.sqrt(sum);
  }
  return norms;
}

/**
 * The k tokens nearest to each vector by cosine, best first (Lester et al. 2021, section 7); of equal ones the smaller id.
 * Cosine, because learned prompts are far longer than any token's embedding.
 *
 * P x V x d products in plain loops: 1.6e9 for P = 100, V = 32,000, d = 512, a second or two in a worker. Rows of norm 0 are nobody's neighbour.
 * @param vectors [P, width], row-major
 * @param embedding [V, width], row-major
 */
export function nearestTokens(
  vectors: Float32Array,
  embedding: Float32Array,
  width: number,
  k: number,
  { exclude }: NearestOptions = {},
): Neighbour[][] {
  const count = vectors.length / width;
  const tokens = embedding.length / width;
  const unit = unitRows(vectors, width);
  const norms = rowNorms(embedding, width);
  const best: Neighbour[][] = Array.from({ length: count }, () => []);
  const keep = (row: number, id: number, cosine: number) => {
    const list = best[row]!;
    if (list.length === k && !(cosine > list[k - 1]!.cosine)) return;
    let at = list.length;
    while (at > 0 && list[at - 1]!.cosine < cosine) at--;
    list.splice(at, 0, { id, cosine });
    if (list.length > k) list.pop();
  };
  if (k < 1) return best;
  for (let id = 0; id < tokens; id++) {
    if (exclude?.has(id) || !(norms[id]! > 0)) continue;
    const scale = 1 / norms[id]!;
    const start = id * width;
    // Four vectors at a time: each number of the embedding, the large side, is fetched once for four products.
    let row = 0;
    for (; row + 4 <= count; row += 4) {
      const a = row * width;
      const b = a + width;
      const c = b + width;
      const d = c + width;
      let sa = 0;
      let sb = 0;
      let sc = 0;
      let sd = 0;
      for (let j = 0; j < width; j++) {
        const e = embedding[start + j]!;
        sa += unit[a + j]! * e;
        sb += unit[b + j]! * e;
        sc += unit[c + j]! * e;
        sd += unit[d + j]! * e;
      }
      keep(row, id, sa * scale);
      keep(row + 1, id, sb * scale);
      keep(row + 2, id, sc * scale);
      keep(row + 3, id, sd * scale);
    }
    for (; row < count; row++) {
      const a = row * width;
      let sum = 0;
      for (let j = 0; j < width; j++) sum += unit[a + j]! * embedding[start + j]!;
      keep(row, id, sum * scale);
    }
  }
  return best;
}

/** Rows scaled to length 1; rows of norm 0 stay 0. */
function unitRows(values: Float32Array, width: number): Float32Array {
  const norms = rowNorms(values, width);
  return values.map((x, i) => {
    const norm = norms[Math.floor(i / width)]!;
    return norm > 0 ? x / norm : 0;
  });
}

/**
 * The best cosine that a vector of random direction finds among the tokens: mean and 95th percentile over seeded draws. A
 * neighbour no better than that says nothing about a virtual token, and often there is none: prompts that work need not read
 * as their task (Khashabi et al. 2022, "Prompt Waywardness", arXiv 2112.08348).
 */
export function randomNearest(
  embedding: Float32Array,
  width: number,
  { exclude, draws = 64, seed = 0 }: NearestOptions & { draws?: number; seed?: number } = {},
): { mean: number; p95: number } {
  const vectors = seededNormals(seed, draws * width);
  const found = nearestTokens(vectors, embedding, width, 1, exclude ? { exclude } : {});
  const cosines = found.flatMap((list) => list.map((n) => n.cosine)).sort((a, b) => a - b);
  if (cosines.length === 0) return { mean: 0, p95: 0 };
  const mean = cosines.reduce((sum, x) => sum + x, 0) / cosines.length;
  return { mean, p95: cosines[Math.ceil(0.95 * cosines.length) - 1]! };
}
