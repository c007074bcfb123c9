import { type Dims, size } from '../kernel.ts';
import type { OptimizerRule } from './optimizer.ts';

/** A trained tensor in plain memory; its states have the names and shapes of the rule's, so that checkpoints fit both engines. */
export interface CpuLeaf {
  rows: number;
  cols: number;
  /** Updated in place, as are the states. */
  parameter: Float32Array;
  states: Readonly<Record<string, Float32Array>>;
}

/** L2 norm of the gradient before clipping, and whether the step changed nothing because something was not finite. */
export interface CpuStats {
  gradientNorm: number;
  skipped: boolean;
}

/**
 * `optimize` for one leaf without a GPU: the same guard, the same clipping, the same rule; state in f32, arithmetic in f64.
 * Scalars as there: `step`, `clipNorm` and those of the rule.
 */
export function optimizeOnCpu(
  rule: OptimizerRule,
  leaf: CpuLeaf,
  gradient: Float32Array,
  loss: number,
  scalars: Dims,
): CpuStats {
  let squares = 0;
  for (const g of gradient) squares += g * g;
  const gradientNorm = Math.sqrt(squares);
  if (!Number.isFinite(Math.fround(squares)) || !Number.isFinite(loss))
    return { gradientNorm, skipped: true };
  const clip = size(scalars, 'clipNorm');
  const factor = clip > 0 ? Math.min(1, clip / (gradientNorm + 1e-6)) : 1;
  rule.onCpu(leaf, factor === 1 ? gradient : gradient.map((g) => g * factor), scalars);
  return { gradientNorm, skipped: false };
}

export function adamwOnCpu(
  { parameter, states: { m, v } }: CpuLeaf,
  gradient: Float32Array,
  scalars: Dims,
): void {
  const of = (name: string) => size(scalars, name);
  const [rate, beta1, beta2, epsilon] = ['learningRate', 'beta1', 'beta2', 'epsilon'].map(of);
  const decay = rate * of('weightDecay');
  const correction = (beta: number) => -Math.expm1(of('step') * Math.log(beta));
  const [first, second] = [correction(beta1), correction(beta2)];
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    const p = parameter[i];
    parameter[i] = p - decay * p - (rate * (m[i] / first)) / (Math.sqrt(v[i] / second) + epsilon);
  }
}

export function sgdOnCpu({ parameter, states: { m } }: CpuLeaf, gradient: Float32Array, scalars: Dims): void {
  const momentum = size(scalars, 'step') <= 1 ? 0 : size(scalars, 'momentum');
  const rate = size(scalars, 'learningRate');
  for (let i = 0; i < parameter.length; i++) {
    m[i] = momentum * m[i] + gradient[i];
    parameter[i] -= rate * m[i];
  }
}

export function adafactorOnCpu(
  { rows, cols, parameter, states }: CpuLeaf,
  gradient: Float32Array,
  scalars: Dims,
  settings: { factored: boolean; decayTimesRate: boolean },
): void {
  const of = (name: string) => size(scalars, name);
  const rest = of('step') ** -of('decayRate');
  const blend = (old: number, now: number) => (1 - rest) * old + rest * now;
  const square = (i: number) => gradient[i] * gradient[i] + 1e-30;
  const direction = new Float64Array(parameter.length);
  if (settings.factored) {
    const { vr, vc } = states;
    const rowSums = new Float64Array(rows);
    const columnSums = new Float64Array(cols);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < cols; c++) {
        rowSums[r] += square(r * cols + c);
        columnSums[c] += square(r * cols + c);
      }
    for (let r = 0; r < rows; r++) vr[r] = blend(vr[r], rowSums[r] / cols);
    for (let c = 0; c < cols; c++) vc[c] = blend(vc[c], columnSums[c] / rows);
    const mean = vr.reduce((sum, value) => sum + value, 0) / rows;
    for (let i = 0; i < direction.length; i++)
      direction[i] = gradient[i] / Math.sqrt(vr[Math.floor(i / cols)] / mean) / Math.sqrt(vc[i % cols]);
  } else {
    const { v } = states;
    for (let i = 0; i < direction.length; i++) {
      v[i] = blend(v[i], square(i));
      direction[i] = gradient[i] / Math.sqrt(v[i]);
    }
  }
  let squares = 0;
  for (const u of direction) squares += u * u;
  const rms = Math.sqrt(squares / direction.length);
  const step = of('learningRate') / Math.max(1, rms / of('clipThreshold'));
  const decay = of('weightDecay') * (settings.decayTimesRate ? of('learningRate') : 1);
  for (let i = 0; i < parameter.length; i++) {
    const p = parameter[i];
    parameter[i] = p - step * direction[i] - decay * p;
  }
}
