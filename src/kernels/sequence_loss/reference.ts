/** The slow clear version of the sequence loss, in float64. */
import type { LossExample } from './pack.ts';
import type { LossMode } from './sequence_loss.ts';

const softmax = (x: number[]): number[] => {
  const m = Math.max(...x);
  const e = x.map((v) => Math.exp(v - m));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
};

const logSoftmaxAt = (x: ArrayLike<number>, at: number): number => {
  const m = Math.max(...Array.from(x));
  return x[at] - m - Math.log(Array.from(x).reduce((sum, v) => sum + Math.exp(v - m), 0));
};

/** Of each candidate of all examples: the sum of the log probabilities of its tokens. */
export function scoresReference(
  logits: ArrayLike<number>,
  columns: number,
  examples: LossExample[],
): number[] {
  const row = (n: number) => Array.prototype.slice.call(logits, n * columns, (n + 1) * columns) as number[];
  return examples
    .flatMap((e) => e.candidates)
    .map(({ tokens, rows }) =>
      Array.from(tokens).reduce((sum, token, i) => sum + logSoftmaxAt(row(rows[i]), token), 0),
    );
}

/** Loss of each example; their sum times the scale is the loss of the batch. */
export function exampleLossReference(
  logits: ArrayLike<number>,
  columns: number,
  examples: LossExample[],
  mode: LossMode,
): number[] {
  const scores = scoresReference(logits, columns, examples);
  return examples.map(({ candidates, target }) => {
    const own = scores.splice(0, candidates.length);
    if (target === undefined) return 0;
    return mode === 'vocabulary' ? -own[target] : -logSoftmaxAt(own, target);
  });
}

/** d (scale * sum of the example losses) / d logits. */
export function sequenceLossGradient(
  logits: ArrayLike<number>,
  columns: number,
  examples: LossExample[],
  mode: LossMode,
  scale: number,
): Float64Array {
  const gradient = new Float64Array(logits.length);
  const scores = scoresReference(logits, columns, examples);
  for (const { candidates, target } of examples) {
    const p = softmax(scores.splice(0, candidates.length));
    if (target === undefined) continue;
    candidates.forEach(({ tokens, rows }, c) => {
      const right = c === target ? 1 : 0;
      const weight = scale * (mode === 'vocabulary' ? -right : p[c] - right);
      for (let i = 0; i < tokens.length; i++) {
        const at = rows[i] * columns;
        softmax(Array.prototype.slice.call(logits, at, at + columns)).forEach((q, v) => {
          gradient[at + v] += weight * ((v === tokens[i] ? 1 : 0) - q);
        });
      }
    });
  }
  return gradient;
}
