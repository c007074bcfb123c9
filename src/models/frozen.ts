import { PreludeError } from '../errors.ts';
import { makeTensor } from '../graph/index.ts';
import type { Dtype, Tensor } from '../kernels/index.ts';
import type { FrozenTensor } from './model.ts';

/** Tensors of a checkpoint by name, with the dtype they have in GPU memory. */
export type Checkpoint = ReadonlyMap<string, { shape: readonly number[]; dtype: Dtype }>;

interface MatrixOptions extends Pick<FrozenTensor, 'transposed' | 'rowOrder'> {
  /** Rows of all parts together, where `rowOrder` takes only some of them. */
  published?: number;
}

/** Collects what a family takes of a checkpoint, each shape checked. */
export interface Frozen {
  readonly list: FrozenTensor[];
  has(name: string): boolean;
  /** Published [out, in] matrices stacked into [rows, cols]. */
  matrix(name: string, parts: readonly string[], rows: number, cols: number, options?: MatrixOptions): Tensor;
  /** Published vectors, one after another: [1, cols] f32. */
  vector(
    name: string,
    parts: readonly string[],
    cols: number,
    options?: MatrixOptions & Pick<FrozenTensor, 'expand'>,
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
  return {
    list,
    has: (name) => checkpoint.has(name),
    matrix(name, parts, rows, cols, { transposed, rowOrder, published = rows } = {}) {
      let found = 0;
      for (const part of parts) {
        const { shape } = need(part);
        const [out, into] = transposed ? [shape[1], shape[0]] : shape;
        if (shape.length !== 2 || into !== cols)
          throw shapeError(part, transposed ? `${cols} rows` : `${cols} columns`);
        found += out!;
      }
      if (found !== published)
        throw wrong(parts[0]!, `${parts[0]}: ${found} rows in all; the config asks for ${published}.`);
      // Parts of one fused matrix that were published in different dtypes meet in f32, and so do matrices that are turned round.
      const { dtype } = need(parts[0]!);
      const same = !transposed && parts.every((part) => need(part).dtype === dtype);
      const tensor = makeTensor('weight', name, rows, cols, same ? dtype : 'f32');
      return add({ tensor, parts, transposed, rowOrder });
    },
    vector(name, parts, cols, { rowOrder, published = cols, expand } = {}) {
      let found = 0;
      for (const part of parts) {
        const { shape } = need(part);
        if (shape.length !== 1) throw shapeError(part, `${published} values`);
        found += shape[0]!;
      }
      if (found !== published) throw shapeError(parts[0]!, `${published} values`);
      return add({ tensor: makeTensor('weight', name, 1, cols), parts, rowOrder, expand });
    },
    table(name, rows, cols, expand, source) {
      if (source && need(source.part).shape.join() !== source.shape.join())
        throw shapeError(source.part, `[${source.shape.join(', ')}]`);
      return add({
        tensor: makeTensor('weight', name, rows, cols),
        parts: source ? [source.part] : [],
        expand,
      });
    },
  };
}
