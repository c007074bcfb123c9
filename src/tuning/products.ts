import { type KernelTraits, type MatmulShape, tileKey } from '../kernels/index.ts';
import type { FrozenModel } from '../models/index.ts';
import { ordinaryNodes } from './warm.ts';

/** Elements of a weight beyond which a trial of it would take more time and memory than it is worth. */
const LARGEST_TRIAL = 2 ** 26;

/** The products of an ordinary training step and reading, those with most work in all first: what a search of tiles is for. */
export function productShapes(traits: KernelTraits, model: FrozenModel): MatmulShape[] {
  const work = new Map<string, { shape: MatmulShape; flops: number }>();
  const seeProduct = (shape: MatmulShape) => {
    if (shape.cols * shape.depth > LARGEST_TRIAL) return;
    const key = tileKey(shape);
    const known = work.get(key) ?? { shape, flops: 0 };
    known.flops += 2 * shape.rows * shape.cols * shape.depth;
    work.set(key, known);
  };
  ordinaryNodes({ ...traits, seeProduct }, model);
  return [...work.values()].sort((a, b) => b.flops - a.flops).map(({ shape }) => shape);
}
