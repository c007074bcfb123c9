import { formatOf } from '../formats/index.ts';
import { type Dtype, isWeightDtype, type KernelTraits, type Size } from '../kernel.ts';
import { SMALLEST_SUBGROUP } from '../lanes.ts';

/**
 * `nt`: out [M, N] = left [M, K] x w^T, with w [N, K]. `nn`: out [M, K] = left [M, N] x w on the same w. One is the forward pass of
 * a linear layer with a Hugging Face weight, the other its backward pass.
 */
export type Direction = 'nt' | 'nn';

/** How a product is cut up. Plain data: a tuner may measure and keep it. */
export interface MatmulTile {
  /**
   * `direct` reads operands straight from storage; `tiled` stages them in workgroup memory, `depth` values deep; `subgroup`, for
   * few rows of `nt`, shares the depth between the wgX invocations of a workgroup (wgY is 1).
   */
  kind: 'direct' | 'tiled' | 'subgroup';
  /** Outputs of one invocation, or of the workgroup by subgroups: rows x cols, cols a multiple of 4. */
  rows: number;
  cols: number;
  /** Invocations of a workgroup along the columns and along the rows. */
  wgX: number;
  wgY: number;
  /** `tiled` only: a multiple of 4. */
  depth?: number;
  /** Parts the inner dimension is cut into, each for its own workgroups, summed by a second kernel in a fixed order. Default 1. */
  split?: number;
}

/** The product a tile is chosen for: out [rows, cols] with an inner dimension `depth`. */
export interface MatmulShape {
  direction: Direction;
  rows: number;
  cols: number;
  depth: number;
  dtype: Dtype;
  /** Columns do not come in whole vec4, whatever the sizes say: a piece of a weight whose rows are no multiple of 4. */
  unaligned?: boolean;
}

/** Outputs of a workgroup. */
export const blockOf = ({ kind, rows, cols, wgX, wgY }: MatmulTile): { rows: number; cols: number } =>
  kind === 'subgroup' ? { rows, cols } : { rows: rows * wgY, cols: cols * wgX };

/** Workgroups of one part of the depth. */
function groupsOf(tile: MatmulTile, shape: MatmulShape): number {
  const block = blockOf(tile);
  return Math.ceil(shape.rows / block.rows) * Math.ceil(shape.cols / block.cols);
}

/** WebGPU's guaranteed limits, which every tile keeps. */
const MAX_INVOCATIONS = 256;
const MAX_WORKGROUP_BYTES = 16_384;

/** Bytes of workgroup memory a tile takes. */
function stageBytes(tile: MatmulTile, direction: Direction): number {
  if (tile.kind === 'subgroup') return 4 * tile.rows * tile.cols * Math.ceil(tile.wgX / SMALLEST_SUBGROUP);
  if (tile.kind === 'direct' || !tile.depth) return 0;
  const padded = tile.depth + 4;
  const left = tile.rows * tile.wgY * padded;
  const w = tile.cols * tile.wgX * (direction === 'nt' ? padded : tile.depth);
  return 4 * (left + w);
}

/** Whether a tile keeps WebGPU's guaranteed limits and fits the shape: all but direct ones need rows of whole vec4. */
export function fits(tile: MatmulTile, shape: MatmulShape): boolean {
  const aligned = !shape.unaligned && shape.cols % 4 === 0 && shape.depth % 4 === 0;
  return (
    tile.wgX * tile.wgY <= MAX_INVOCATIONS &&
    stageBytes(tile, shape.direction) <= MAX_WORKGROUP_BYTES &&
    (tile.kind === 'direct' || aligned) &&
    (tile.kind !== 'subgroup' || (shape.direction === 'nt' && tile.wgY === 1))
  );
}

/** With this many rows a device is busy whatever the tile: more make no other choice. */
const MANY_ROWS = 1024;

/** Rows are rounded up to a power of two, so that nearby capacities share a measurement. */
export function tileKey(shape: MatmulShape): string {
  const rows = Math.min(MANY_ROWS, 2 ** Math.ceil(Math.log2(Math.max(1, shape.rows))));
  return `${shape.direction}:${rows}x${shape.cols}x${shape.depth}:${shape.dtype}`;
}

/** Rows a size may reach, for choosing a tile: what `traits.capacity` says, or many. */
export function rowCapacity(traits: KernelTraits, rows: Size): number {
  return typeof rows === 'number' ? rows : (traits.capacity?.[rows] ?? 1024);
}

const direct = (rows: number, cols: number, wgX: number, wgY: number, split = 1): MatmulTile => ({
  kind: 'direct',
  rows,
  cols,
  wgX,
  wgY,
  split,
});
const tiled = (
  rows: number,
  cols: number,
  wgX: number,
  wgY: number,
  depth: number,
  split = 1,
): MatmulTile => ({
  kind: 'tiled',
  rows,
  cols,
  wgX,
  wgY,
  depth,
  split,
});

/** The tile for a shape: the measured one where `traits.matmulTiles` has it, else a default for the kind of device. */
export function chooseTile(traits: KernelTraits, shape: MatmulShape): MatmulTile {
  traits.seeProduct?.(shape);
  const measured = traits.matmulTiles?.get(tileKey(shape));
  const runs = measured?.kind !== 'subgroup' || traits.subgroups;
  if (measured && runs && fits(measured, shape)) return measured;
  return traits.rowLanes === 1 ? softwareTile(shape) : gpuTile(shape);
}

/**
 * Software adapters run a workgroup on one core, four invocations at a time, and pay for each load, so that blocks of many
 * registers win; workgroup memory and barriers only cost. One tile for nearly all shapes, since each one compiles for most of a
 * second, and workgroups of four so that few rows still keep every core busy.
 */
function softwareTile({ rows, cols, dtype }: MatmulShape): MatmulTile {
  // What is unpacked once serves more rows: 1.1 to 1.6 times as fast on SwiftShader for Q8_0, Q4_0, Q4_K and Q6_K.
  const most = isPacked(dtype) && rows >= 64 ? 16 : 8;
  const tall = rows >= most ? most : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
  return direct(tall, cols >= 16 ? 16 : 4, 4, 1);
}

const isPacked = (dtype: Dtype): boolean => isWeightDtype(dtype) && formatOf(dtype).group !== undefined;

/** GPUs: staged blocks for many rows; for few rows enough workgroups to fill the device, cutting the depth where need be. */
function gpuTile(shape: MatmulShape): MatmulTile {
  const { rows, depth } = shape;
  const base =
    rows > 32 ? tiled(4, 4, 16, 16, 16) : rows > 8 ? tiled(2, 4, 16, 8, 16) : tiled(1, 4, 16, 8, 32);
  const split = splitFor(groupsOf(base, shape), depth, 128);
  const tile = { ...base, split };
  return fits(tile, shape) ? tile : direct(rows > 8 ? 4 : 1, 4, 16, 4, split);
}

const bySubgroups = (rows: number, cols: number, wgX: number): MatmulTile => ({
  kind: 'subgroup',
  rows,
  cols,
  wgX,
  wgY: 1,
});

/** With more rows than these blocks of registers read less. */
const SUBGROUP_ROWS = 16;

/** A weight is read once for up to eight rows; two widths of the workgroup, since a short depth leaves lanes idle. */
function subgroupTiles(traits: KernelTraits, { rows }: MatmulShape): MatmulTile[] {
  if (!traits.subgroups || rows > SUBGROUP_ROWS) return [];
  const tall = Math.min(8, 2 ** Math.ceil(Math.log2(rows)));
  return [bySubgroups(tall, 4, 32), bySubgroups(tall, 4, 64)];
}

/** Parts of the depth so that about `wanted` workgroups run, each with 256 or more of the depth to sum. */
function splitFor(groups: number, depth: number, wanted: number): number {
  return Math.max(1, Math.min(Math.floor(wanted / groups), Math.floor(depth / 256), 64));
}

/** Tiles worth measuring for a shape, the default first. All keep the guaranteed limits and fit the shape. */
export function candidateTiles(traits: KernelTraits, shape: MatmulShape): MatmulTile[] {
  const chosen = chooseTile({ rowLanes: traits.rowLanes }, shape);
  const others =
    traits.rowLanes === 1
      ? [
          direct(8, 8, 4, 1),
          direct(4, 16, 4, 1),
          direct(8, 12, 4, 1),
          direct(8, 16, 4, 4),
          direct(16, 8, 4, 1),
        ]
      : [
          tiled(4, 4, 16, 16, 16),
          tiled(8, 4, 16, 16, 8),
          tiled(8, 8, 16, 16, 8),
          tiled(8, 8, 8, 8, 16),
          tiled(4, 8, 8, 16, 16),
          tiled(4, 4, 8, 8, 32),
          tiled(2, 4, 16, 8, 16),
          tiled(1, 4, 16, 8, 32),
          direct(4, 4, 8, 8),
          direct(8, 4, 8, 8),
          direct(8, 8, 8, 8),
          direct(1, 4, 16, 4),
          ...subgroupTiles(traits, shape),
        ];
  const seen = new Set<string>();
  return [chosen, ...others]
    .flatMap((tile) => {
      const split = traits.rowLanes === 1 ? 1 : splitFor(groupsOf(tile, shape), shape.depth, 256);
      return [tile, { ...tile, split }, { ...tile, split: Math.ceil(split / 4) }];
    })
    .filter((tile, i) => {
      // Blocks mostly past the last row only waste; they are no candidates, but the default always is one.
      const wasteful = i > 0 && tile.rows * tile.wgY >= 4 * shape.rows && tile.rows > 1;
      const key = JSON.stringify(tile);
      const fresh = !seen.has(key);
      seen.add(key);
      return fresh && !wasteful && fits(tile, shape);
    });
}
