/** The slow clear version of the optimizers, in float64: one step of each, in place. */

export interface ReferenceLeaf {
  rows: number;
  cols: number;
  p: Float64Array;
  g: ArrayLike<number>;
  /** Zeros before step 1. Adafactor: v, or vr and vc; AdamW: m and v; SGD: m. */
  states: Record<string, Float64Array>;
}
type Scalars = Record<string, number>;

/** g, scaled so that its norm is at most `clipNorm` (0: as it is). */
export function clipReference(g: ArrayLike<number>, clipNorm: number): Float64Array {
  const values = Float64Array.from(g);
  const norm = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  return values.map((v) => v * (clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1));
}

export function adafactorReference(
  leaf: ReferenceLeaf,
  h: Scalars,
  settings: { factored: boolean; decayTimesRate: boolean },
): void {
  const { rows, cols, p, g, states } = leaf;
  const beta2 = 1 - h.step ** -h.decayRate;
  const s = Float64Array.from(g, (x) => x * x + 1e-30);
  const blend = (old: number, now: number) => beta2 * old + (1 - beta2) * now;
  let v: Float64Array;
  if (settings.factored) {
    const { vr, vc } = states;
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < cols; c++) sum += s[r * cols + c];
      vr[r] = blend(vr[r], sum / cols);
    }
    for (let c = 0; c < cols; c++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += s[r * cols + c];
      vc[c] = blend(vc[c], sum / rows);
    }
    const mean = vr.reduce((a, x) => a + x, 0) / rows;
    v = p.map((_, i) => (vr[Math.floor(i / cols)] / mean) * vc[i % cols]);
  } else {
    v = states.v;
    for (let i = 0; i < v.length; i++) v[i] = blend(v[i], s[i]);
  }
  const u = v.map((x, i) => g[i] / Math.sqrt(x));
  const rms = Math.sqrt(u.reduce((sum, x) => sum + x * x, 0) / u.length);
  const clip = Math.max(1, rms / h.clipThreshold);
  const decay = h.weightDecay * (settings.decayTimesRate ? h.learningRate : 1);
  for (let i = 0; i < p.length; i++) p[i] -= (h.learningRate * u[i]) / clip + decay * p[i];
}

export function adamwReference({ p, g, states: { m, v } }: ReferenceLeaf, h: Scalars): void {
  for (let i = 0; i < p.length; i++) {
    p[i] -= h.learningRate * h.weightDecay * p[i];
    m[i] = h.beta1 * m[i] + (1 - h.beta1) * g[i];
    v[i] = h.beta2 * v[i] + (1 - h.beta2) * g[i] * g[i];
    p[i] -=
      (h.learningRate * (m[i] / (1 - h.beta1 ** h.step))) /
      (Math.sqrt(v[i] / (1 - h.beta2 ** h.step)) + h.epsilon);
  }
}

export function sgdReference({ p, g, states: { m } }: ReferenceLeaf, h: Scalars): void {
  for (let i = 0; i < p.length; i++) {
    m[i] = (h.step === 1 ? 0 : h.momentum * m[i]) + g[i];
    p[i] -= h.learningRate * m[i];
  }
}
