import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import { ropeOnnx } from './onnx.ts';
import ropeWgsl from './rope.wgsl?raw';

export interface RopeSettings {
  /** Head h lies at columns column + h * headDim. */
  column: number;
  heads: number;
  headDim: number;
  /** u32 [M, 1]: each row's position, below the table's rows. */
  positions: Tensor;
  /** [positions, R] f32: cos of the R / 2 angles of a position, then their sin (see `ropeTable`); R <= headDim is even. */
  table: Tensor;
}

/**
 * Rotary position embedding (Su et al. 2021), pairs (i, i + R / 2) of the first R columns of each head as in transformers. In place:
 * the head's rows before the rotation are needed by nobody, and the gradient is turned back in place likewise.
 *
 *     x'[i] = x[i] cos - x[i + R/2] sin,   x'[i + R/2] = x[i + R/2] cos + x[i] sin
 *
 * x [M, any]; other columns stay. Must come before any reader of x that is to see the rotated rows; the op that writes x must not
 * need them for its own gradient. @returns x itself
 */
export function rope(b: Builder, x: Tensor, settings: RopeSettings): Tensor {
  const { positions, table } = settings;
  b.record({
    op: 'rope',
    inputs: [x, positions, table],
    outputs: [x],
    kernels: [ropeKernel('forward', x, settings)],
    onnx: (e) => ropeOnnx(e, x, settings, false),
    vjp(back) {
      const dx = back.grad(x);
      if (!dx) return;
      back.record({
        op: 'rope',
        inputs: [dx, positions, table],
        outputs: [dx],
        kernels: [ropeKernel('backward', dx, settings)],
        onnx: (e) => ropeOnnx(e, dx, settings, true),
      });
    },
  });
  return x;
}

export function ropeKernel(direction: 'forward' | 'backward', x: Tensor, settings: RopeSettings): Kernel {
  const { column, heads, headDim, positions, table } = settings;
  const half = table.cols / 2;
  if (half % 1 !== 0 || table.cols > headDim || column + heads * headDim > x.cols)
    throw new Error(`rope: ${table.cols} of ${heads} x ${headDim} columns from ${column} in ${x.cols}`);
  const unit = [half, headDim, column, x.cols].every((n) => n % 4 === 0) ? 4 : 1;
  return {
    name: `rope/${direction}`,
    code: expandWgsl(ropeWgsl, {
      V: unit === 4 ? 'vec4f' : 'f32',
      HALF: half / unit,
      HEADS: heads,
      WIDTH: headDim / unit,
      STRIDE: x.cols / unit,
      COLUMN: column / unit,
      BACK: direction === 'backward',
    }),
    buffers: [
      { tensor: x, access: 'read_write' },
      { tensor: positions, access: 'read' },
      { tensor: table, access: 'read' },
    ],
    uniforms: [u32(x.rows)],
    workgroups: (dims) => grid((size(dims, x.rows) * heads * half) / unit, 64),
    cost: (dims) => {
      const values = size(dims, x.rows) * heads * table.cols;
      return { flops: 3 * values, bytes: 12 * values };
    },
  };
}

/** The table of `positions` rows for the given angular frequencies (radians a position), in float32 as transformers computes it. */
export function ropeTable(frequencies: ArrayLike<number>, positions: number): Float32Array<ArrayBuffer> {
  const half = frequencies.length;
  const table = new Float32Array(2 * half * positions);
  for (let p = 0; p < positions; p++)
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(p * Math.fround(frequencies[i]));
      table[2 * half * p + i] = Math.cos(angle);
      table[2 * half * p + half + i] = Math.sin(angle);
    }
  return table;
}

/** The slow clear version, in float64; `turn` -1 turns back. x [rows, cols]. */
export function ropeReference(
  x: ArrayLike<number>,
  cols: number,
  settings: { column: number; heads: number; headDim: number },
  positions: ArrayLike<number>,
  table: ArrayLike<number>,
  half: number,
  turn: 1 | -1 = 1,
): Float64Array {
  const y = Float64Array.from(x);
  for (let row = 0; row < positions.length; row++)
    for (let head = 0; head < settings.heads; head++)
      for (let i = 0; i < half; i++) {
        const at = row * cols + settings.column + head * settings.headDim + i;
        const c = table[2 * half * positions[row] + i];
        const s = turn * table[2 * half * positions[row] + half + i];
        y[at] = x[at] * c - x[at + half] * s;
        y[at + half] = x[at + half] * c + x[at] * s;
      }
  return y;
}
