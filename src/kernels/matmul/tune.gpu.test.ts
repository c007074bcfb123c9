import { describe, expect, test } from 'vitest';
import { createPipelines } from '../../gpu/index.ts';
import type { KernelTraits } from '../kernel.ts';
import { allTraits, testGpu } from '../testing.ts';
import { candidateTiles, chooseTile, fits, type MatmulShape, type MatmulTile, tileKey } from './tiles.ts';
import { tunedTiles, tuneMatmuls } from './tune.ts';

const shapes: MatmulShape[] = [
  { direction: 'nt', rows: 6, cols: 24, depth: 32, dtype: 'f32' },
  { direction: 'nn', rows: 3, cols: 16, depth: 48, dtype: 'f16' },
  { direction: 'nt', rows: 5, cols: 12, depth: 64, dtype: 'q4_0' },
  { direction: 'nn', rows: 5, cols: 256, depth: 8, dtype: 'q6_k' },
];
const bySubgroups: MatmulTile = { kind: 'subgroup', rows: 2, cols: 4, wgX: 8, wgY: 1 };
const few: MatmulTile[] = [
  { kind: 'direct', rows: 1, cols: 4, wgX: 4, wgY: 1, split: 2 },
  { kind: 'tiled', rows: 1, cols: 4, wgX: 4, wgY: 4, depth: 8 },
];

describe.each(allTraits)('tuneMatmuls, %s', (_, traits) => {
  test('finds a tile for each shape, which chooseTile then takes', async () => {
    const gpu = await testGpu();
    const tuning = await tuneMatmuls(gpu, createPipelines(gpu), traits, shapes, {
      candidates: () => few,
      budgetMs: 60_000,
    });
    expect(tuning.tiles.map(({ key }) => key)).toEqual(shapes.map(tileKey));
    const tuned = { ...traits, matmulTiles: tunedTiles(JSON.parse(JSON.stringify(tuning)), gpu) };
    for (const shape of shapes) expect(few).toContainEqual(chooseTile(tuned, shape));
    expect(tunedTiles({ ...tuning, adapter: 'another' }, gpu).size).toBe(0);
  });

  test('may take a tile by subgroups for few rows', async () => {
    const gpu = await testGpu();
    if (!gpu.features.subgroups) return;
    const tuning = await tuneMatmuls(gpu, createPipelines(gpu), traits, shapes.slice(0, 1), {
      candidates: () => [bySubgroups],
      budgetMs: 60_000,
    });
    expect(tuning.tiles).toMatchObject([{ tile: bySubgroups, ms: expect.any(Number) }]);
  });

  test('takes none whose results are not exact enough, and none that does not compile', async () => {
    const gpu = await testGpu();
    const run = (tolerance: number, tile: MatmulTile) =>
      tuneMatmuls(gpu, createPipelines(gpu), traits, shapes.slice(0, 1), {
        tolerance,
        candidates: () => [tile],
      });
    expect((await run(1e-4, few[0])).tiles).toMatchObject([{ tile: few[0], ms: expect.any(Number) }]);
    const kept = [{ key: tileKey(shapes[0]), tile: chooseTile(traits, shapes[0]) }];
    expect((await run(0, few[0])).tiles).toEqual(kept);
    expect((await run(1e-4, { ...few[0], wgX: 100_000 })).tiles).toEqual(kept);
  });

  test('stays within its budget, and gives the rest its default', async () => {
    const gpu = await testGpu();
    const tuning = await tuneMatmuls(gpu, createPipelines(gpu), traits, shapes, { budgetMs: 0 });
    expect(tuning.tiles).toEqual(
      shapes.map((shape) => ({ key: tileKey(shape), tile: chooseTile(traits, shape) })),
    );
  });
});

test('few rows are offered subgroups where the device has them, and a tile by subgroups is not taken where it has none', () => {
  const shape: MatmulShape = { direction: 'nt', rows: 3, cols: 64, depth: 64, dtype: 'f32' };
  const kinds = (traits: KernelTraits, of = shape) => candidateTiles(traits, of).map(({ kind }) => kind);
  const gpu = { rowLanes: 64, subgroups: true };
  expect(kinds(gpu)).toContain('subgroup');
  expect(kinds({ rowLanes: 64 })).not.toContain('subgroup');
  expect(kinds(gpu, { ...shape, rows: 40 })).not.toContain('subgroup');
  expect(kinds(gpu, { ...shape, direction: 'nn' })).not.toContain('subgroup');
  const tile: MatmulTile = { kind: 'subgroup', rows: 4, cols: 4, wgX: 32, wgY: 1 };
  const matmulTiles = new Map([[tileKey(shape), tile]]);
  expect(chooseTile({ ...gpu, matmulTiles }, shape)).toEqual(tile);
  expect(chooseTile({ rowLanes: 64, matmulTiles }, shape).kind).not.toBe('subgroup');
});

test('a default tile fits every shape, down to one row and odd widths', () => {
  for (const [, traits] of allTraits)
    for (const direction of ['nt', 'nn'] as const)
      for (const rows of [1, 2, 7, 16, 33, 832])
        for (const [cols, depth] of [
          [1, 1],
          [192, 49_152],
          [49_152, 192],
          [13, 64],
          [64, 13],
        ]) {
          const shape = { direction, rows, cols, depth, dtype: 'f32' as const };
          expect(fits(chooseTile(traits, shape), shape)).toBe(true);
        }
});
