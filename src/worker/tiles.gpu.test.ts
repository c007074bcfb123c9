import { beforeEach, describe, expect, test } from 'vitest';
import { createPipelines } from '../gpu/index.ts';
import { adapterKey, type MatmulShape, type MatmulTuning, tileKey } from '../kernels/index.ts';
import { testGpu } from '../kernels/testing.ts';
import { bytesSource, openSafetensors } from '../weights/index.ts';
import { openWebgpuPlace } from './place.ts';
import { browserTileStore, findTiles, type TileStore } from './tiles.ts';

const shapes: MatmulShape[] = [
  { direction: 'nt', rows: 6, cols: 24, depth: 32, dtype: 'f32' },
  { direction: 'nn', rows: 3, cols: 16, depth: 48, dtype: 'f16' },
];
const tile = { kind: 'direct', rows: 1, cols: 4, wgX: 4, wgY: 1 } as const;

/** Counts how often candidates were asked for. */
async function search(store: TileStore, wanted = shapes, budgetMs = 60_000) {
  const gpu = await testGpu();
  let asked = 0;
  const tiles = await findTiles({
    gpu,
    pipelines: createPipelines(gpu),
    traits: { rowLanes: 1 },
    shapes: wanted,
    store,
    budgetMs,
    candidates: () => {
      asked++;
      return [tile];
    },
  });
  return { tiles, asked };
}

function memoryStore(): TileStore & { kept: MatmulTuning[] } {
  const kept: MatmulTuning[] = [];
  return {
    kept,
    get: async (adapter) => kept.findLast((tuning) => tuning.adapter === adapter),
    put: async (tuning) => void kept.push(structuredClone(tuning)),
  };
}

describe('tiles of a device', () => {
  beforeEach(() => indexedDB.deleteDatabase('prelude-tiles'));

  test('are measured once, and the same in a later visit', async () => {
    const first = await search(browserTileStore());
    expect(first.asked).toBe(2);
    expect([...first.tiles.keys()]).toEqual(shapes.map(tileKey));
    const again = await search(browserTileStore());
    expect(again.asked).toBe(0);
    expect(again.tiles).toEqual(first.tiles);
  });

  test('a new shape is measured, the others are not', async () => {
    const store = memoryStore();
    await search(store);
    const wider: MatmulShape = { ...shapes[0]!, cols: 32 };
    const { asked, tiles } = await search(store, [...shapes, wider]);
    expect(asked).toBe(1);
    expect(tiles.size).toBe(3);
  });

  test('another adapter measures anew; what the budget does not reach has its default for good', async () => {
    const store = memoryStore();
    await store.put({ adapter: 'another', tiles: [] });
    expect((await search(store, shapes, 0)).asked).toBe(0);
    const late = await search(store);
    expect(late.asked).toBe(0);
    expect([...late.tiles.values()]).not.toContainEqual(tile);
    expect(store.kept.at(-1)?.adapter).toBe(adapterKey(await testGpu()));
  });

  test('a browser that keeps nothing searches each time', async () => {
    const refusing: TileStore = { get: async () => undefined, put: async () => undefined };
    expect((await search(refusing)).asked).toBe(2);
    expect((await search(refusing)).asked).toBe(2);
  });

  test('a model that is loaded takes them', async () => {
    const store = memoryStore();
    const place = await openWebgpuPlace({ tileStore: store, searchTiles: true });
    const config = await (await fetch('/models/tiny/config.json')).json();
    const file = await (await fetch('/models/tiny/model.safetensors')).arrayBuffer();
    const weights = await openSafetensors(bytesSource(new Uint8Array(file)));
    expect(place.traits.matmulTiles).toBeUndefined();
    await place.makeModel(config, weights, 'stored', () => {});
    const [tuning] = store.kept;
    expect(tuning!.tiles.length).toBeGreaterThan(5);
    expect(place.traits.matmulTiles?.size).toBe(tuning!.tiles.length);
    await place.makeModel(config, weights, 'stored', () => {});
    expect(store.kept).toHaveLength(1);
  });
});
