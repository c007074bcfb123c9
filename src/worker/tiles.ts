/** Tiles of products measured on this device, kept in this browser by adapter: found once, the same on every later visit. */
import { type DBSchema, openDB } from 'idb';
import type { Gpu, Pipelines } from '../gpu/index.ts';
import {
  adapterKey,
  type KernelTraits,
  type MatmulShape,
  type MatmulTile,
  type MatmulTuning,
  tileKey,
  tunedTiles,
  tuneMatmuls,
} from '../kernels/index.ts';

/** Where a search's findings are kept. Neither method rejects: without storage a search is made anew. */
export interface TileStore {
  get(adapter: string): Promise<MatmulTuning | undefined>;
  put(tuning: MatmulTuning): Promise<void>;
}

/** Rises when kernels change so that old measurements say nothing any more. */
const KERNELS = 1;

interface Schema extends DBSchema {
  tiles: { key: string; value: MatmulTuning };
}

export function browserTileStore(): TileStore {
  const open = () =>
    openDB<Schema>('prelude-tiles', KERNELS, {
      upgrade(db) {
        for (const name of [...db.objectStoreNames]) db.deleteObjectStore(name);
        db.createObjectStore('tiles', { keyPath: 'adapter' });
      },
    });
  const quietly = async <T>(work: (db: Awaited<ReturnType<typeof open>>) => Promise<T>) => {
    try {
      const db = await open();
      try {
        return await work(db);
      } finally {
        db.close();
      }
    } catch {
      // Private windows may refuse.
      return undefined;
    }
  };
  return {
    get: (adapter) => quietly((db) => db.get('tiles', adapter)),
    put: async (tuning) => void (await quietly((db) => db.put('tiles', tuning))),
  };
}

/** Longer would be felt when a model is loaded. */
const BUDGET_MS = 1500;

export interface TileSearch {
  gpu: Gpu;
  pipelines: Pipelines;
  traits: KernelTraits;
  /** Those with most work first. */
  shapes: MatmulShape[];
  store: TileStore;
  budgetMs?: number;
  candidates?(shape: MatmulShape): MatmulTile[];
}

/**
 * Tiles for `traits.matmulTiles`: what is kept for this adapter, and a search for shapes that are missing. A shape that the budget
 * did not reach keeps its default for good: another tile sums in another order, and a run taken up on a later visit must go on
 * bit for bit.
 */
export async function findTiles(search: TileSearch): Promise<ReadonlyMap<string, MatmulTile>> {
  const { gpu, pipelines, traits, shapes, store, budgetMs = BUDGET_MS, candidates } = search;
  const known = await store.get(adapterKey(gpu));
  const found = new Set(known?.tiles.map(({ key }) => key));
  if (known && shapes.every((shape) => found.has(tileKey(shape)))) return tunedTiles(known, gpu);
  const tuning = await tuneMatmuls(gpu, pipelines, traits, shapes, {
    budgetMs,
    known,
    ...(candidates && { candidates }),
  });
  await store.put(tuning);
  return tunedTiles(tuning, gpu);
}
