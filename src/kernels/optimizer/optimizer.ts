import { expandWgsl } from '../../gpu/index.ts';
import { type Dims, f32, type Kernel, type Tensor } from '../kernel.ts';
import type { Builder } from '../op.ts';
import { rowSquaresKernel, sumKernel } from '../reduce/reduce.ts';
import type { CpuLeaf } from './cpu.ts';
import guardWgsl from './guard.wgsl?raw';

/** Columns of the stats tensor f32 [1, STAT_COLUMNS], of kind `state`: what one reads back of a step. */
export const STAT = {
  /** Sum of g^2 over all trained tensors, before clipping. */
  gradientSquares: 0,
  /** Its root. */
  gradientNorm: 1,
  /** What the gradient was multiplied by to clip its norm; 1 where it was not. */
  clipFactor: 2,
  /** 1 where this step changed nothing because the loss or the gradient was not finite (or g^2 overflowed), else 0. */
  skipped: 3,
  /** The loss of the batch, copied. */
  loss: 4,
} as const;
export const STAT_COLUMNS = 8;

/** A trained tensor. */
export interface Leaf {
  /** [P, d], P a number; updated in place. */
  parameter: Tensor;
  /** [P, d]: d loss / d parameter. */
  gradient: Tensor;
  /** The tensors of `rule.states(P, d)` by name, of kind `state`, zero before step 1. With `step` they make a checkpoint. */
  states: Record<string, Tensor>;
}

/** An optimizer as plain data, after optax: what it keeps between steps, and the kernels of an update. */
export interface OptimizerRule {
  name: 'adafactor' | 'adamw' | 'sgd';
  /** Shapes of its states for a parameter [rows, cols]. */
  states(rows: number, cols: number): Record<string, [rows: number, cols: number]>;
  update(b: Builder, leaf: Leaf, stats: Tensor): { kernels: Kernel[]; scratch: Tensor[] };
  /** The same without a GPU, given the clipped gradient. */
  onCpu(leaf: CpuLeaf, gradient: Float32Array, scalars: Dims): void;
}

/**
 * Updates all leaves. Scalars of `Dims`: `step` t = 1, 2, ...; `clipNorm`, the largest norm of the gradient over all leaves (0:
 * not clipped); and those of the rule. Where the loss or a gradient is not finite nothing but `stats` changes.
 */
export function optimize(b: Builder, rule: OptimizerRule, leaves: Leaf[], loss: Tensor, stats: Tensor): void {
  const rows = leaves.map(({ parameter }) => {
    if (typeof parameter.rows !== 'number')
      throw new Error(`${parameter.name}: a trained tensor has a fixed size`);
    return parameter.rows;
  });
  const parts = b.tensor(
    'gradient.rowSquares',
    rows.reduce((a, n) => a + n, 0),
    1,
  );
  let at = 0;
  const squares = leaves.map(({ gradient }, i) => {
    const kernel = rowSquaresKernel(b.traits, gradient, parts, { at });
    at += rows[i];
    return kernel;
  });
  const updates = leaves.map((leaf) => rule.update(b, leaf, stats));
  const states = leaves.flatMap((leaf) => Object.values(leaf.states));
  const parameters = leaves.map((leaf) => leaf.parameter);
  b.record({
    op: rule.name,
    inputs: [...leaves.map((leaf) => leaf.gradient), ...parameters, ...states, loss],
    outputs: [...parameters, ...states, stats, parts, ...updates.flatMap((u) => u.scratch)],
    kernels: [
      ...squares,
      sumKernel(b.traits, parts, stats, { slot: STAT.gradientSquares }),
      guardKernel(loss, stats),
      ...updates.flatMap((u) => u.kernels),
    ],
  });
}

function guardKernel(loss: Tensor, stats: Tensor): Kernel {
  return {
    name: 'optimizer/guard',
    code: expandWgsl(guardWgsl, {
      SQUARES: STAT.gradientSquares,
      NORM: STAT.gradientNorm,
      FACTOR: STAT.clipFactor,
      SKIPPED: STAT.skipped,
      LOSS: STAT.loss,
    }),
    buffers: [
      { tensor: loss, access: 'read' },
      { tensor: stats, access: 'read_write' },
    ],
    uniforms: [f32('clipNorm')],
    workgroups: () => [1, 1, 1],
    cost: () => ({ flops: 4, bytes: 28 }),
  };
}
