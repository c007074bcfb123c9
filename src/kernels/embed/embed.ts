import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, piecesOf, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import { type WeightReading, weightAccess, weightEnables } from '../weight.ts';
import backwardWgsl from './backward.wgsl?raw';
import forwardWgsl from './forward.wgsl?raw';
import { embedBackwardOnnx, embedOnnx } from './onnx.ts';

/** Set in an id that names a row of the soft prompt and not of the vocabulary. */
export const PROMPT_ROW = 0x8000_0000;

export interface EmbedSettings {
  /** Name of the output. */
  name: string;
  /** Factor of vocabulary rows (Gemma: sqrt(d)); prompt rows are taken as they are. */
  scale?: number;
  /** The soft prompt [P, d]. Without it ids must name vocabulary rows only. */
  prompt?: Tensor;
  /** Needed where the prompt is trained. */
  gradient?: {
    /** d loss / d prompt [P, d], of kind `state`. Added to when `dims.accumulate` is 1, overwritten when it is 0. */
    into: Tensor;
    /** u32 [S, 1]: the packed row where the prompt of sequence s starts; its P rows follow in order. */
    promptRow: Tensor;
  };
}

/**
 * Rows of the vocabulary and of the soft prompt, packed.
 *
 *     x[t] = prompt[p]               where ids[t] = PROMPT_ROW | p
 *     x[t] = scale * table[ids[t]]   elsewhere
 *     dprompt[p] = sum over s of dx[promptRow[s] + p]
 *
 * ids u32 [T, 1]; table [V, d], in any weight format, frozen; x [T, d]. Of a table in pieces each writes the rows it has.
 */
export function embed(b: Builder, ids: Tensor, table: Tensor, settings: EmbedSettings): Tensor {
  const { prompt, gradient } = settings;
  const x = b.tensor(settings.name, ids.rows, table.cols);
  b.record({
    op: 'embed',
    inputs: prompt ? [ids, table, prompt] : [ids, table],
    outputs: [x],
    kernels: forwardKernels(b, ids, table, x, settings),
    onnx: (e) => embedOnnx(e, ids, table, x, settings.scale, prompt),
    vjp(back) {
      const dx = back.grad(x);
      if (!dx || !prompt || !back.wants(prompt)) return;
      if (!gradient) throw new Error(`${x.name}: the prompt is trained, but its gradient has no tensor`);
      back.record({
        op: 'embed',
        inputs: [gradient.promptRow, dx, gradient.into],
        outputs: [gradient.into],
        kernels: [embedBackward(gradient.promptRow, dx, gradient.into)],
        onnx: (e) => embedBackwardOnnx(e, gradient.promptRow, dx, gradient.into),
      });
      back.contribute(prompt, { kind: 'pass', tensor: gradient.into });
    },
  });
  return x;
}

const width = (columns: number) => (columns % 4 === 0 ? columns / 4 : columns);
const vector = (columns: number) => (columns % 4 === 0 ? 'vec4f' : 'f32');

function forwardKernels(
  { traits }: Builder,
  ids: Tensor,
  table: Tensor,
  x: Tensor,
  { scale, prompt }: EmbedSettings,
): Kernel[] {
  const reading = { nativeHalf: traits.shaderF16 };
  const kernels: Kernel[] = [];
  let firstRow = 0;
  for (const piece of piecesOf(table)) {
    kernels.push(
      embedForward(ids, piece, x, {
        scale,
        reading,
        // Rows of the prompt are the first piece's.
        prompt: firstRow === 0 ? prompt : undefined,
        firstRow: table.pieces && firstRow,
      }),
    );
    firstRow += piece.rows as number;
  }
  return kernels;
}

export interface EmbedForwardSettings {
  scale?: number;
  prompt?: Tensor;
  /** Where `table` is a piece: its first row's id. Rows of other pieces are left alone. */
  firstRow?: number;
  reading?: WeightReading;
}

function embedForward(ids: Tensor, table: Tensor, x: Tensor, settings: EmbedForwardSettings = {}): Kernel {
  const { scale = 1, prompt, firstRow, reading } = settings;
  const vectors = x.cols % 4 === 0;
  const code = expandWgsl(forwardWgsl, {
    V: vector(x.cols),
    WIDTH: width(x.cols),
    AT: vectors ? 'table_at4' : 'table_at',
    PROMPT: prompt !== undefined,
    PIECE: firstRow !== undefined,
    SCALED: scale !== 1,
    SCALE: scale.toExponential(),
  });
  return {
    name: 'embed/forward',
    code: `${weightEnables(table, reading)}${weightAccess('table', 2, table, reading)}\n${code}`,
    buffers: [
      { tensor: ids, access: 'read' },
      { tensor: table, access: 'read' },
      { tensor: x, access: 'read_write' },
      ...(prompt ? [{ tensor: prompt, access: 'read' as const }] : []),
    ],
    uniforms: [u32(ids.rows), u32(firstRow ?? 0), u32(table.rows)],
    workgroups: (dims) => grid(size(dims, ids.rows) * width(x.cols), 64),
    cost: (dims) => ({ flops: 0, bytes: 8 * size(dims, ids.rows) * x.cols }),
  };
}

/** Reads the scalar `accumulate` (0 or 1) of `Dims`. */
function embedBackward(promptRow: Tensor, dx: Tensor, dprompt: Tensor): Kernel {
  return {
    name: 'embed/backward',
    code: expandWgsl(backwardWgsl, { V: vector(dx.cols), WIDTH: width(dx.cols) }),
    buffers: [
      { tensor: promptRow, access: 'read' },
      { tensor: dx, access: 'read' },
      { tensor: dprompt, access: 'read_write' },
    ],
    uniforms: [u32(promptRow.rows), u32(dprompt.rows), u32('accumulate')],
    workgroups: (dims) => grid(size(dims, dprompt.rows) * width(dx.cols), 64),
    cost: (dims) => {
      const entries = size(dims, dprompt.rows) * dx.cols;
      return {
        flops: entries * size(dims, promptRow.rows),
        bytes: 4 * entries * (size(dims, promptRow.rows) + 1),
      };
    },
  };
}

/** The slow clear version, in float64. */
export function embedReference(
  ids: ArrayLike<number>,
  table: ArrayLike<number>,
  prompt: ArrayLike<number>,
  cols: number,
  scale = 1,
): Float64Array {
  const x = new Float64Array(ids.length * cols);
  for (let t = 0; t < ids.length; t++)
    for (let c = 0; c < cols; c++)
      x[t * cols + c] =
        ids[t] >= PROMPT_ROW ? prompt[(ids[t] - PROMPT_ROW) * cols + c] : scale * table[ids[t] * cols + c];
  return x;
}

/** Its gradient: d loss / d prompt [P, d] given d loss / d x, from the ids alone. */
export function embedGradient(
  ids: ArrayLike<number>,
  dx: ArrayLike<number>,
  promptRows: number,
  cols: number,
): Float64Array {
  const dprompt = new Float64Array(promptRows * cols);
  for (let t = 0; t < ids.length; t++)
    if (ids[t] >= PROMPT_ROW)
      for (let c = 0; c < cols; c++) dprompt[(ids[t] - PROMPT_ROW) * cols + c] += dx[t * cols + c];
  return dprompt;
}
