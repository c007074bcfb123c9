import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, type KernelTraits, size, type Tensor, u32 } from '../kernel.ts';
import { laneConstants } from '../lanes.ts';
import type { Builder } from '../op.ts';
import headNormWgsl from './head_norm.wgsl?raw';
import { headNormBackwardOnnx, headNormOnnx } from './onnx.ts';

/** Groups of columns from column 0 on, one after another: `first` of `firstWidth`, then `second` of `secondWidth`. */
export interface HeadGroups {
  first: number;
  firstWidth: number;
  second: number;
  secondWidth: number;
}

/**
 * RMS norm within groups of columns: of each query head and each key head (Qwen 3, Gemma 3), or of all queries and of all keys
 * together (OLMo 2). Columns past the groups, the values, are copied, so that q, k and v stay one matrix.
 *
 *     y[g] = x[g] * r * weight[g],  r = (mean(x[g]^2) + eps)^-1/2;   gradient as in the room of rms_norm, group by group
 *
 * x, y [M, any]; weight [1, at least the columns of all groups] f32, frozen: the published [headDim] written out for each head.
 */
export function headNorm(b: Builder, x: Tensor, weight: Tensor, groups: HeadGroups, eps: number): Tensor {
  const y = b.tensor(`${x.name}.norm`, x.rows, x.cols);
  b.record({
    op: 'head_norm',
    inputs: [x, weight],
    outputs: [y],
    kernels: [headNormKernel(b.traits, x, weight, y, groups, eps)],
    onnx: (e) => headNormOnnx(e, x, weight, y, groups, eps),
    vjp(back) {
      const dy = back.grad(y);
      if (!dy || !back.wants(x)) return;
      const dx = back.tensor(`d ${x.name}`, x.rows, x.cols);
      back.record({
        op: 'head_norm',
        inputs: [x, weight, dy],
        outputs: [dx],
        kernels: [headNormKernel(back.traits, x, weight, dx, groups, eps, dy)],
        onnx: (e) => headNormBackwardOnnx(e, x, weight, dy, dx, groups, eps),
      });
      back.contribute(x, { kind: 'pass', tensor: dx });
    },
  });
  return y;
}

/** Without `dy` the forward pass into y, with it the gradient of x into y. */
export function headNormKernel(
  traits: KernelTraits,
  x: Tensor,
  weight: Tensor,
  y: Tensor,
  { first, firstWidth, second, secondWidth }: HeadGroups,
  eps: number,
  dy?: Tensor,
): Kernel {
  const covered = first * firstWidth + second * secondWidth;
  if (covered > x.cols || weight.cols < covered)
    throw new Error(`head_norm: groups cover ${covered} columns of ${x.cols}, weights of ${weight.cols}`);
  const unit = [firstWidth, secondWidth, x.cols].every((n) => n % 4 === 0) ? 4 : 1;
  const UNITS = traits.rowLanes === 1 ? 16 : 1;
  const groups = first + second;
  const code = expandWgsl(headNormWgsl, {
    V: unit === 4 ? 'vec4f' : 'f32',
    UNIT: unit,
    UNITS,
    ...laneConstants(traits, 'vec2f'),
    GROUPS: groups,
    FIRST: first,
    WIDTH_A: firstWidth / unit,
    WIDTH_B: secondWidth / unit,
    STRIDE: x.cols / unit,
    EPS: eps.toExponential(),
    BACK: dy !== undefined,
  });
  const product =
    unit === 4
      ? 'fn product(a: vec4f, b: vec4f) -> f32 { return dot(a, b); }\n'
      : 'fn product(a: f32, b: f32) -> f32 { return a * b; }\n';
  return {
    name: `head_norm/${dy ? 'backward' : 'forward'}`,
    code: code + product,
    buffers: [
      { tensor: x, access: 'read' },
      { tensor: weight, access: 'read' },
      { tensor: y, access: 'read_write' },
      ...(dy ? [{ tensor: dy, access: 'read' as const }] : []),
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid(size(dims, x.rows) * (groups + 1), UNITS),
    cost: (dims) => ({
      flops: (dy ? 9 : 4) * size(dims, x.rows) * covered,
      bytes: (dy ? 12 : 8) * size(dims, x.rows) * x.cols,
    }),
  };
}
