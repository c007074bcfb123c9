import { seededNormals } from './random.ts';

/** A plane through a cloud of points: plain data, so that it crosses from a worker. */
export interface Plane {
  /** [width] */
  mean: Float32Array;
  /** [2, width], orthonormal; each axis's largest entry is positive. */
  axes: Float32Array;
  /** Share of the cloud's variance along each axis, 0 to 1. */
  explained: [first: number, second: number];
}

/**
 * The first two principal components of [N, width], by power iteration on the centred rows with deflation, from a seeded
 * start: the same rows give the same map.
 */
export function pca2(rows: Float32Array, width: number, { seed = 0, iterations = 200 } = {}): Plane {
  const n = rows.length / width;
  const mean = new Float32Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width]! += rows[i]! / n;
  const centred = rows.map((x, i) => x - mean[i % width]!);
  const total = centred.reduce((sum, x) => sum + x * x, 0);
  const axes = new Float32Array(2 * width);
  const explained: [number, number] = [0, 0];
  for (const axis of [0, 1] as const) {
    let v = Float64Array.from(seededNormals(seed + axis, width));
    let variance = 0;
    for (let i = 0; i < iterations; i++) {
      if (axis === 1) makeOrthogonal(v, axes.subarray(0, width));
      normalise(v);
      const next = multiply(centred, width, v);
      if (axis === 1) makeOrthogonal(next, axes.subarray(0, width));
      const before = variance;
      variance = Math.hypot(...next);
      // No variance is left: any direction will do, and the present one is orthonormal.
      if (!(variance > 1e-12 * total)) break;
      v = next;
      if (Math.abs(variance - before) <= 1e-12 * variance) break;
    }
    normalise(v);
    const largest = v.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
    axes.set(
      v.map((x) => (largest < 0 ? -x : x)),
      axis * width,
    );
    explained[axis] = total > 0 ? variance / total : 0;
  }
  return { mean, axes, explained };
}

/** Coordinates [N, 2] of rows [N, width] on a plane. */
export function projectOn(plane: Plane, rows: Float32Array): Float32Array<ArrayBuffer> {
  const width = plane.mean.length;
  const out = new Float32Array((rows.length / width) * 2);
  for (let i = 0; i < rows.length / width; i++)
    for (const axis of [0, 1]) {
      let sum = 0;
      for (let j = 0; j < width; j++)
        sum += (rows[i * width + j]! - plane.mean[j]!) * plane.axes[axis * width + j]!;
      out[i * 2 + axis] = sum;
    }
  return out;
}

/** X^T (X v) without the d x d matrix. */
function multiply(rows: Float32Array, width: number, v: Float64Array): Float64Array<ArrayBuffer> {
  const out = new Float64Array(width);
  for (let start = 0; start < rows.length; start += width) {
    let dot = 0;
    for (let j = 0; j < width; j++) dot += rows[start + j]! * v[j]!;
    for (let j = 0; j < width; j++) out[j]! += dot * rows[start + j]!;
  }
  return out;
}

function makeOrthogonal(v: Float64Array, to: Float32Array): void {
  let dot = 0;
  for (let j = 0; j < v.length; j++) dot += v[j]! * to[j]!;
  for (let j = 0; j < v.length; j++) v[j]! -= dot * to[j]!;
}

function normalise(v: Float64Array): void {
  const norm = Math.hypot(...v);
  if (norm > 0) for (let j = 0; j < v.length; j++) v[j]! /= norm;
}
