import { expandWgsl, type WgslConstants } from '../../gpu/index.ts';
import { type Dims, f32, grid, type Kernel, size, type Tensor, type Uniform, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import { sumKernel } from '../reduce/reduce.ts';
import directionWgsl from './adafactor_direction.wgsl?raw';
import momentWgsl from './adafactor_moment.wgsl?raw';
import squaresWgsl from './adafactor_squares.wgsl?raw';
import updateWgsl from './adafactor_update.wgsl?raw';
import { adafactorOnCpu } from './cpu.ts';
import { type Leaf, type OptimizerRule, STAT } from './optimizer.ts';

export interface AdafactorSettings {
  /** Second moments as row and column means. t5x and optax do so only where both dimensions are at least 128. */
  factored: boolean;
  /** Weight decay times the learning rate (transformers), or as it is (t5x, optax). */
  decayTimesRate: boolean;
}

/**
 * Adafactor (Shazeer and Stern 2018) without parameter scaling and momentum, as the paper's prompt tuning uses it.
 *
 *     beta2 = 1 - t^-decayRate
 *     v = beta2 v + (1 - beta2) (g^2 + 1e-30);   factored: vr, vc the same of row and column means, v = vr vc / mean(vr)
 *     u = g / sqrt(v),   u = u / max(1, RMS(u) / clipThreshold)
 *     p = p - lr u - weightDecay p               (decayTimesRate: lr weightDecay p)
 *
 * Scalars of `Dims`: `step`, `learningRate`, `weightDecay`, `decayRate`, `clipThreshold`. States v [P, d], or vr [P, 1] and
 * vc [1, d].
 */
export function adafactor(settings: AdafactorSettings): OptimizerRule {
  return {
    name: 'adafactor',
    states: (rows, cols): Record<string, [number, number]> =>
      settings.factored ? { vr: [rows, 1], vc: [1, cols] } : { v: [rows, cols] },
    update: (b, leaf, stats) => update(b, settings, leaf, stats),
    onCpu: (leaf, gradient, scalars) => adafactorOnCpu(leaf, gradient, scalars, settings),
  };
}

/** 1 - beta2 = t^-decayRate, in double precision. */
const rest2 = (dims: Dims) => size(dims, 'step') ** -size(dims, 'decayRate');
const BETA2: Uniform = { type: 'f32', value: (dims) => 1 - rest2(dims) };
const REST2: Uniform = { type: 'f32', value: rest2 };

function update(b: Builder, settings: AdafactorSettings, leaf: Leaf, stats: Tensor) {
  const { parameter, gradient, states } = leaf;
  const { factored, decayTimesRate } = settings;
  const rows = parameter.rows as number;
  const columns = parameter.cols;
  const lanes = b.traits.rowLanes;
  const parts = b.tensor(`${parameter.name}.updateSquares`, rows, 1);
  const scratch = b.tensor(`${parameter.name}.updateScratch`, 1, 2);
  const constants: WgslConstants = {
    COLUMNS: columns,
    LANES: lanes,
    FACTORED: factored,
    FACTOR: STAT.clipFactor,
    SKIPPED: STAT.skipped,
    EPS: '1e-30',
    OUT: factored ? 6 : 5,
  };
  const cost = (): { flops: number; bytes: number } => ({
    flops: 4 * rows * columns,
    bytes: 12 * rows * columns,
  });

  const moment = (which: 'WHOLE' | 'ROW' | 'COLUMN', into: Tensor): Kernel => ({
    name: `adafactor/moment_${which.toLowerCase()}`,
    code: expandWgsl(momentWgsl, { ...constants, WHOLE: false, ROW: false, COLUMN: false, [which]: true }),
    buffers: [
      { tensor: gradient, access: 'read' },
      { tensor: stats, access: 'read' },
      { tensor: into, access: 'read_write' },
    ],
    uniforms: [u32(rows), BETA2, REST2],
    workgroups: () =>
      which === 'ROW' ? [rows, 1, 1] : grid(which === 'COLUMN' ? columns : rows * columns, 64),
    cost,
  });
  const directed = (name: string, wgsl: string, out: Tensor): Pick<Kernel, 'name' | 'code' | 'buffers'> => ({
    name: `adafactor/${name}`,
    code: `${expandWgsl(directionWgsl, constants)}\n${expandWgsl(wgsl, constants)}`,
    buffers: [
      ...[gradient, stats, scratch, ...(factored ? [states.vr, states.vc] : [states.v])].map((tensor) => ({
        tensor,
        access: 'read' as const,
      })),
      { tensor: out, access: 'read_write' },
    ],
  });
  const mean: Uniform = { type: 'f32', value: () => 1 / rows };
  const decay: Uniform = {
    type: 'f32',
    value: (dims) => size(dims, 'weightDecay') * (decayTimesRate ? size(dims, 'learningRate') : 1),
  };

  const kernels: Kernel[] = [
    ...(factored
      ? [
          moment('ROW', states.vr),
          moment('COLUMN', states.vc),
          sumKernel(b.traits, states.vr, scratch, { slot: 1, scale: mean }),
        ]
      : [moment('WHOLE', states.v)]),
    {
      ...directed('squares', squaresWgsl, parts),
      uniforms: [u32(rows)],
      workgroups: () => [rows, 1, 1],
      cost,
    },
    sumKernel(b.traits, parts, scratch, { slot: 0 }),
    {
      ...directed('update', updateWgsl, parameter),
      uniforms: [u32(rows), f32('learningRate'), decay, f32('clipThreshold')],
      workgroups: () => grid(rows * columns, 64),
      cost,
    },
  ];
  return { kernels, scratch: [parts, scratch] };
}
