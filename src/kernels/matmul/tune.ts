import type { Gpu, Pipelines } from '../../gpu/index.ts';
import { type Dtype, type Kernel, type KernelTraits, type Tensor, tensorBytes } from '../kernel.ts';
import { matmulKernels } from './matmul.ts';
import { type PreparedKernels, prepareKernels } from './measure.ts';
import { candidateTiles, chooseTile, type MatmulShape, type MatmulTile, tileKey } from './tiles.ts';

/** What a search found: plain data, for the caller to keep under `adapter` and to give back as `traits.matmulTiles`. */
export interface MatmulTuning {
  adapter: string;
  /** Without `ms`: not measured, the default. */
  tiles: { key: string; tile: MatmulTile; ms?: number }[];
}

export interface TuneOptions {
  /** Wall-clock limit of the search; shapes not reached are given their default. Default 3000. */
  budgetMs?: number;
  /** Tiles that are known already: their shapes are not measured again, and they are part of what is returned. */
  known?: MatmulTuning;
  /** Largest error against float64 that a candidate may have, relative to the largest output. Default 1e-4. */
  tolerance?: number;
  candidates?(shape: MatmulShape): MatmulTile[];
}

/** Names an adapter in caches. */
export const adapterKey = ({ adapter }: Gpu): string =>
  [adapter.vendor, adapter.architecture, adapter.description].join('/');

/** As `traits.matmulTiles`; empty when it was measured on another adapter. */
export function tunedTiles(tuning: MatmulTuning, gpu: Gpu): Map<string, MatmulTile> {
  if (tuning.adapter !== adapterKey(gpu)) return new Map();
  return new Map(tuning.tiles.map(({ key, tile }) => [key, tile]));
}

/**
 * Measures the candidates of each shape and keeps the fastest whose results are right. Shapes come first that matter most: the
 * search ends with its budget. A candidate that does not compile on this device is passed over.
 */
export async function tuneMatmuls(
  gpu: Gpu,
  pipelines: Pipelines,
  traits: KernelTraits,
  shapes: MatmulShape[],
  options: TuneOptions = {},
): Promise<MatmulTuning> {
  const {
    budgetMs = 3000,
    known,
    tolerance = 1e-4,
    candidates = (shape) => candidateTiles(traits, shape),
  } = options;
  const end = performance.now() + budgetMs;
  const adapter = adapterKey(gpu);
  const tiles = new Map<string, MatmulTuning['tiles'][0]>(
    known?.adapter === adapter ? known.tiles.map((entry) => [entry.key, entry]) : [],
  );
  for (const shape of shapes) {
    const key = tileKey(shape);
    if (tiles.has(key)) continue;
    tiles.set(key, { key, tile: chooseTile({ rowLanes: traits.rowLanes }, shape) });
    if (performance.now() >= end) continue;
    const trial = makeTrial(shape);
    const tried = candidates(shape);
    await compileAll(pipelines, traits, trial, tried);
    let best: { tile: MatmulTile; ms: number } | undefined;
    for (const tile of tried) {
      if (performance.now() >= end) break;
      const ms = await measure(gpu, pipelines, traits, trial, tile, tolerance);
      if (ms !== undefined && (!best || ms < best.ms)) best = { tile, ms };
    }
    // A search cut short has seen the default first.
    if (best) tiles.set(key, { key, ...best });
  }
  return { adapter, tiles: [...tiles.values()] };
}

/** All at once: drivers compile in parallel. What does not compile is met again, and passed over, when it is measured. */
async function compileAll(
  pipelines: Pipelines,
  traits: KernelTraits,
  trial: Trial,
  tiles: readonly MatmulTile[],
): Promise<void> {
  const kernels = tiles.flatMap((tile) => {
    try {
      return kernelsOf(traits, trial, tile);
    } catch {
      return [];
    }
  });
  await Promise.allSettled(
    kernels.map(({ code, buffers, name }) =>
      pipelines.compile(
        code,
        buffers.map(({ access }) => access),
        name,
      ),
    ),
  );
}

function kernelsOf(traits: KernelTraits, { shape, left, w, out }: Trial, tile: MatmulTile): Kernel[] {
  const parts = (cols: number): Tensor => ({ ...out, id: --nextId, name: 'parts', cols });
  const reading = { nativeHalf: traits.shaderF16 };
  return matmulKernels({ direction: shape.direction, left, w, out, reading }, tile, parts);
}

/** A product on made-up values, some of whose outputs are known exactly. */
interface Trial {
  shape: MatmulShape;
  left: Tensor;
  w: Tensor;
  out: Tensor;
  data: Map<Tensor, Float32Array | Uint32Array>;
  /** Of formats whose values are not known here, what the default tile gives: that one is under test. */
  samples?: { at: number; expected: number }[];
}

const SAMPLES = 128;
let nextId = 0;

function makeTrial(shape: MatmulShape): Trial {
  const { direction, rows, cols, depth, dtype } = shape;
  const make = (name: string, r: number, c: number, type: Dtype = 'f32'): Tensor => ({
    id: --nextId,
    name,
    rows: r,
    cols: c,
    dtype: type,
    kind: 'input',
  });
  const left = make('left', rows, depth);
  const w =
    direction === 'nt' ? make('w', cols, depth, dtype as Dtype) : make('w', depth, cols, dtype as Dtype);
  const out = make('out', rows, cols);
  const leftValues = eighths(rows * depth, 1);
  const trial = (values: Float32Array | Uint32Array, samples?: Trial['samples']): Trial => ({
    shape,
    left,
    w,
    out,
    data: new Map<Tensor, Float32Array | Uint32Array>([
      [left, leftValues],
      [w, values],
    ]),
    samples,
  });
  if (dtype !== 'f32' && dtype !== 'f16') {
    const words = new Uint32Array(Math.ceil(tensorBytes(w, {}) / 4));
    return trial(words.map((_, i) => smallBytes(i)));
  }
  const wValues = eighths(cols * depth, 2);
  const samples = Array.from({ length: SAMPLES }, (_, i) => {
    // Corners first: mistakes at blocks' ends show there.
    const row = i < 4 ? (i & 1) * (rows - 1) : (i * 7919) % rows;
    const col = i < 4 ? (i >> 1) * (cols - 1) : (i * 104_729) % cols;
    let expected = 0;
    for (let d = 0; d < depth; d++)
      expected +=
        leftValues[row * depth + d] * wValues[direction === 'nt' ? col * depth + d : d * cols + col];
    return { at: row * cols + col, expected };
  });
  return trial(dtype === 'f16' ? asHalves(wValues) : wValues, samples);
}

/** Milliseconds of one product, or undefined where it does not compile or is wrong. */
async function measure(
  gpu: Gpu,
  pipelines: Pipelines,
  traits: KernelTraits,
  trial: Trial,
  tile: MatmulTile,
  tolerance: number,
): Promise<number | undefined> {
  const { out, data } = trial;
  let prepared: PreparedKernels;
  try {
    prepared = await prepareKernels(gpu, pipelines, kernelsOf(traits, trial, tile), {}, data);
  } catch {
    return undefined;
  }
  try {
    const first = await prepared.run(1);
    const got = await prepared.read(out);
    trial.samples ??= Array.from({ length: SAMPLES }, (_, i) => (i * 7919) % got.length).map((at) => ({
      at,
      expected: got[at],
    }));
    const { samples } = trial;
    const scale = Math.max(...samples.map(({ expected }) => Math.abs(expected)), 1e-30);
    if (!samples.every(({ at, expected }) => Math.abs(got[at] - expected) < tolerance * scale))
      return undefined;
    // Short products repeat within a submit, so that its own cost does not count.
    const times = Math.max(1, Math.min(32, Math.ceil(2 / first)));
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) best = Math.min(best, (await prepared.run(times)) / times);
    return best;
  } finally {
    prepared.free();
  }
}

/** Seeded multiples of 1/8 in -1 .. 1, which every format holds exactly. */
function eighths(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 17) / 8 - 1;
  });
}

/** A word that is sane as part of any format: whatever half of it is a scale is a number between 0.007 and 0.13. */
function smallBytes(index: number): number {
  const mixed = Math.imul(index + 1, 2654435761) >>> 0;
  return ((mixed & 0x0f0f0f0f) | 0x20202020) >>> 0;
}

/** Pairs of halves in words. Exact for multiples of 1/8 up to 1. */
function asHalves(values: Float32Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(values.length / 2));
  values.forEach((value, i) => {
    const size = Math.abs(value);
    const exponent = size > 0 ? Math.floor(Math.log2(size)) : 0;
    const bits = size > 0 ? ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024) : 0;
    words[i >> 1] |= ((value < 0 ? 0x8000 : 0) | bits) << (16 * (i & 1));
  });
  return words;
}
