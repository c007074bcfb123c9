import { expandWgsl } from '../../gpu/index.ts';
import { type Dims, f32, grid, type Kernel, size, type Tensor, type Uniform, u32 } from '../kernel.ts';
import { adamwOnCpu, sgdOnCpu } from './cpu.ts';
import elementwiseWgsl from './elementwise.wgsl?raw';
import { type Leaf, type OptimizerRule, STAT } from './optimizer.ts';

/** A float computed in double precision from the scalars of the step. */
const scalar = (value: (of: (name: string) => number) => number): Uniform => ({
  type: 'f32',
  value: (dims: Dims) => value((name) => size(dims, name)),
});

/** 1 - beta^t, exact for beta near 1. */
const oneMinusPower = (beta: number, t: number) => -Math.expm1(t * Math.log(beta));

/**
 * AdamW (Loshchilov and Hutter 2019; torch.optim.AdamW).
 *
 *     m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2
 *     p = p - lr wd p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *
 * Scalars of `Dims`: `step`, `learningRate`, `weightDecay`, `beta1`, `beta2`, `epsilon`. States m, v [P, d].
 */
export const adamw: OptimizerRule = {
  name: 'adamw',
  states: (rows, cols) => ({ m: [rows, cols], v: [rows, cols] }),
  onCpu: adamwOnCpu,
  update: (_, leaf, stats) => ({
    scratch: [],
    kernels: [
      elementwise(
        'adamw',
        leaf,
        stats,
        ['m', 'v'],
        [
          f32('learningRate'),
          scalar((of) => of('learningRate') * of('weightDecay')),
          f32('beta1'),
          scalar((of) => 1 - of('beta1')),
          f32('beta2'),
          scalar((of) => 1 - of('beta2')),
          scalar((of) => 1 / oneMinusPower(of('beta1'), of('step'))),
          scalar((of) => 1 / oneMinusPower(of('beta2'), of('step'))),
          f32('epsilon'),
        ],
      ),
    ],
  }),
};

/**
 * SGD with momentum (torch.optim.SGD): m = g at t = 1, else momentum m + g; p = p - lr m.
 *
 * Scalars of `Dims`: `step`, `learningRate`, `momentum`. State m [P, d].
 */
export const sgd: OptimizerRule = {
  name: 'sgd',
  states: (rows, cols) => ({ m: [rows, cols] }),
  onCpu: sgdOnCpu,
  update: (_, leaf, stats) => ({
    scratch: [],
    kernels: [
      elementwise(
        'sgd',
        leaf,
        stats,
        ['m'],
        [f32('learningRate'), scalar((of) => (of('step') <= 1 ? 0 : of('momentum')))],
      ),
    ],
  }),
};

function elementwise(
  name: 'adamw' | 'sgd',
  leaf: Leaf,
  stats: Tensor,
  states: string[],
  uniforms: Uniform[],
): Kernel {
  const { parameter, gradient } = leaf;
  const count = (parameter.rows as number) * parameter.cols;
  return {
    name: `${name}/update`,
    code: expandWgsl(elementwiseWgsl, {
      ADAMW: name === 'adamw',
      FACTOR: STAT.clipFactor,
      SKIPPED: STAT.skipped,
    }),
    buffers: [
      { tensor: gradient, access: 'read' },
      { tensor: stats, access: 'read' },
      { tensor: parameter, access: 'read_write' },
      ...states.map((state) => ({ tensor: leaf.states[state], access: 'read_write' as const })),
    ],
    uniforms: [u32(count), ...uniforms],
    workgroups: () => grid(count, 64),
    cost: () => ({ flops: 14 * count, bytes: 4 * count * (3 + 2 * states.length) }),
  };
}
