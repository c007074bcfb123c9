import { PreludeError } from '../errors.ts';
import { makeTensor } from '../graph/index.ts';
import { formatBytes, type Tensor, type WeightDtype } from '../kernels/index.ts';
import type { DType } from '../weights/index.ts';
import type { FrozenTensor } from './model.ts';
import { type Floor, keptFormat, type Precision, turnedDtype } from './precision.ts';

/** What a family needs to know of a checkpoint. */
export interface Checkpoint {
  get(name: string): { shape: readonly number[]; dtype: DType } | undefined;
  has(name: string): boolean;
  /** How its matrices are to be kept. */
  precision: Precision;
  /** Bytes that one buffer may have; a larger matrix is cut into pieces by rows. */
  bindingBytes: number;
}

interface MatrixOptions extends Pick<FrozenTensor, 'transposed' | 'rowOrder'> {
  /** Rows of all parts together, where `rowOrder` takes only some of them. */
  published?: number;
  floor?: Floor;
}

/** Collects what a family takes of a checkpoint, each shape checked. */
export interface Frozen {
  readonly list: FrozenTensor[];
  has(name: string): boolean;
  /** Published [out, in] matrices stacked into [rows, cols]. */
  matrix(name: string, parts: readonly string[], rows: number, cols: number, options?: MatrixOptions): Tensor;
  /** Token embeddings or a head [V, d]. Kept at 8 bits where others are brought to 4, as llama.cpp does: rare words suffer first. */
  vocabulary(name: string, part: string, rows: number, cols: number): Tensor;
  /** Published vectors, one after another: [1, cols] f32. */
  vector(
    name: string,
    parts: readonly string[],
    cols: number,
    options?: Omit<MatrixOptions, 'floor'> & Pick<FrozenTensor, 'expand'>,
  ): Tensor;
  /** A table [rows, cols] f32 that is made and not stored; the `source` it is made from comes as `values`. */
  table(
    name: string,
    rows: number,
    cols: number,
    expand: (values: Float32Array) => Float32Array<ArrayBuffer>,
    source?: { part: string; shape: readonly number[] },
  ): Tensor;
}

/** Rows of one format that follow one another. */
interface Run {
  rows: number;
  dtype: WeightDtype;
}

/** Pieces begin at multiples of 4 rows, so that products can read and write four columns at a time. */
const PIECE_ROWS = 4;

/** A weight of runs of rows, cut further where a run is larger than a buffer may be. */
function makeWeight(name: string, cols: number, runs: readonly Run[], bindingBytes: number): Tensor {
  const pieces = runs.flatMap(({ rows, dtype }): Run[] => {
    const most = Math.floor(bindingBytes / formatBytes(dtype, PIECE_ROWS * cols)) * PIECE_ROWS;
    if (formatBytes(dtype, rows * cols) <= bindingBytes || most === 0) return [{ rows, dtype }];
    const even = Math.ceil(rows / Math.ceil(rows / most) / PIECE_ROWS) * PIECE_ROWS;
    return Array.from({ length: Math.ceil(rows / even) }, (_, i) => ({
      rows: Math.min(even, rows - i * even),
      dtype,
    }));
  });
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const [first] = pieces;
  const dtype = pieces.every((piece) => piece.dtype === first!.dtype) ? first!.dtype : 'f32';
  const whole = makeTensor('weight', name, rows, cols, dtype);
  if (pieces.length === 1) return whole;
  let at = 0;
  return {
    ...whole,
    pieces: pieces.map((piece) => {
      at += piece.rows;
      return makeTensor(
        'weight',
        `${name}, rows ${at - piece.rows} to ${at - 1}`,
        piece.rows,
        cols,
        piece.dtype,
      );
    }),
  };
}

/** Neighbours of one format become one run. Runs that would begin in the middle of four rows meet in f32. */
function joinRuns(runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const { rows, dtype } of runs) {
    const last = joined[joined.length - 1];
    if (last?.dtype === dtype) last.rows += rows;
    else joined.push({ rows, dtype });
  }
  if (joined.slice(0, -1).every(({ rows }) => rows % PIECE_ROWS === 0)) return joined;
  return [{ rows: joined.reduce((sum, run) => sum + run.rows, 0), dtype: 'f32' }];
}

/** @throws PreludeError `bad-weights` (from its functions) for a tensor that is missing or has another shape. */
export function collectFrozen(checkpoint: Checkpoint): Frozen {
  const list: FrozenTensor[] = [];
  const wrong = (part: string, message: string) =>
    new PreludeError('bad-weights', message, {
      where: part,
      remedy: 'Use the config.json and the weights of one and the same model.',
    });
  const need = (part: string) => {
    const info = checkpoint.get(part);
    if (!info) throw wrong(part, `${part} is missing.`);
    return info;
  };
  const shapeError = (part: string, wanted: string) =>
    wrong(part, `${part} has shape [${need(part).shape.join(', ')}]; the config asks for ${wanted}.`);
  const add = (frozen: FrozenTensor): Tensor => {
    list.push(frozen);
    return frozen.tensor;
  };
  const matrix: Frozen['matrix'] = (name, parts, rows, cols, options = {}) => {
    const { transposed, rowOrder, published = rows, floor } = options;
    const runs = parts.map((part): Run => {
      const { shape, dtype } = need(part);
      const [out, into] = transposed ? [shape[1], shape[0]] : shape;
      if (shape.length !== 2 || into !== cols)
        throw shapeError(part, transposed ? `${cols} rows` : `${cols} columns`);
      const held = transposed ? turnedDtype(dtype) : dtype;
      return { rows: out!, dtype: keptFormat(held, cols, checkpoint.precision, floor) };
    });
    const found = runs.reduce((sum, run) => sum + run.rows, 0);
    if (found !== published)
      throw wrong(parts[0]!, `${parts[0]}: ${found} rows in all; the config asks for ${published}.`);
    const same = runs.every(({ dtype }) => dtype === runs[0]!.dtype);
    // Rows in another order are rows of one format.
    const kept = rowOrder ? [{ rows, dtype: same ? runs[0]!.dtype : ('f32' as const) }] : joinRuns(runs);
    const tensor = makeWeight(name, cols, kept, checkpoint.bindingBytes);
    return add({ kind: 'matrix', tensor, parts, transposed, rowOrder });
  };
  return {
    list,
    has: (name) => checkpoint.has(name),
    matrix,
    vocabulary: (name, part, rows, cols) => matrix(name, [part], rows, cols, { floor: 'q8_0' }),
    vector(name, parts, cols, { rowOrder, published = cols, expand } = {}) {
      let found = 0;
      for (const part of parts) {
        const { shape } = need(part);
        if (shape.length !== 1) throw shapeError(part, `${published} values`);
        found += shape[0]!;
      }
      if (found !== published) throw shapeError(parts[0]!, `${published} values`);
      return add({ kind: 'vector', tensor: makeTensor('weight', name, 1, cols), parts, rowOrder, expand });
    },
    table(name, rows, cols, expand, source) {
      if (source && need(source.part).shape.join() !== source.shape.join())
        throw shapeError(source.part, `[${source.shape.join(', ')}]`);
      return add({
        kind: 'table',
        tensor: makeTensor('weight', name, rows, cols),
        parts: source ? [source.part] : [],
        expand,
      });
    },
  };
}
