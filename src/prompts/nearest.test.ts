import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computing } from '../testing/hostile.ts';
import { nearestTokens, randomNearest, rowNorms } from './nearest.ts';
import { pca2, projectOn } from './pca.ts';
import { seededNormals } from './random.ts';

/** The definition, slow and clear. */
function reference(
  vectors: Float32Array,
  embedding: Float32Array,
  width: number,
  k: number,
  exclude: Set<number>,
) {
  const row = (x: Float32Array, i: number) => [...x.subarray(i * width, (i + 1) * width)];
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  return Array.from({ length: vectors.length / width }, (_, i) => {
    const a = row(vectors, i);
    const all = Array.from({ length: embedding.length / width }, (_, id) => {
      const b = row(embedding, id);
      return { id, cosine: dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) };
    });
    return all
      .filter((n) => !exclude.has(n.id))
      .sort((x, y) => y.cosine - x.cosine)
      .slice(0, k);
  });
}

describe('nearestTokens', () => {
  test('agrees with the definition on odd shapes', () => {
    const shape = fc.record({
      p: fc.integer({ min: 1, max: 9 }),
      v: fc.integer({ min: 1, max: 40 }),
      d: fc.integer({ min: 2, max: 9 }),
      k: fc.integer({ min: 1, max: 6 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(shape, ({ p, v, d, k, seed }) => {
        const vectors = seededNormals(seed, p * d).map((x) => x * 1000);
        const embedding = seededNormals(seed + 1, v * d);
        const exclude = new Set([0, 7]);
        const got = nearestTokens(vectors, embedding, d, k, { exclude });
        const want = reference(vectors, embedding, d, k, exclude);
        expect(got.map((list) => list.map((n) => n.id))).toEqual(want.map((list) => list.map((n) => n.id)));
        for (const [i, n] of got.flat().entries()) expect(n.cosine).toBeCloseTo(want.flat()[i]!.cosine, 5);
      }),
    );
  });

  test('a token, however stretched, is nearest to itself; rows of zeros are near nothing', () => {
    const embedding = seededNormals(1, 20 * 4);
    embedding.fill(0, 0, 4);
    const vectors = Float32Array.of(...embedding.subarray(12, 16).map((x) => x * 900), 0, 0, 0, 0);
    const [first, zero] = nearestTokens(vectors, embedding, 4, 30);
    expect(first![0]!.id).toBe(3);
    expect(first![0]!.cosine).toBeCloseTo(1, 5);
    expect(first).toHaveLength(19);
    expect(zero!.every((n) => n.cosine === 0)).toBe(true);
  });

  test('equal tokens come by id', () => {
    const got = nearestTokens(Float32Array.of(1, 0), Float32Array.of(1, 0, 2, 0, 0, 1, 3, 0), 2, 3);
    expect(got[0]!.map((n) => n.id)).toEqual([0, 1, 3]);
  });

  test('a full prompt against a full vocabulary takes seconds', async () => {
    const width = 512;
    const embedding = new Float32Array(32_000 * width).map((_, i) => Math.sin(i * 12.9898));
    const vectors = seededNormals(3, 100 * width);
    const { value, ms } = await computing(() => nearestTokens(vectors, embedding, width, 5));
    expect(value).toHaveLength(100);
    expect(ms).toBeLessThan(15_000);
  }, 120_000);
});

test('randomNearest: seeded, between nothing and a true neighbour', () => {
  const embedding = seededNormals(5, 500 * 64);
  const baseline = randomNearest(embedding, 64);
  expect(randomNearest(embedding, 64)).toEqual(baseline);
  expect(randomNearest(embedding, 64, { seed: 1 })).not.toEqual(baseline);
  // The largest of 500 normal cosines of deviation 1/8: near 3/8.
  expect(baseline.mean).toBeGreaterThan(0.3);
  expect(baseline.mean).toBeLessThan(0.45);
  expect(baseline.p95).toBeGreaterThan(baseline.mean);
  expect(baseline.p95).toBeLessThan(0.6);
});

test('rowNorms', () => {
  expect([...rowNorms(Float32Array.of(3, 4, 0, 0, 5, 12), 2)]).toEqual([5, 0, 13]);
});

describe('pca2', () => {
  test('finds the plane that points were laid in', () => {
    // 3 u + 1 w around a mean, in five dimensions; u and w orthonormal.
    const u = [0.6, 0.8, 0, 0, 0];
    const w = [0, 0, 1, 0, 0];
    const noise = seededNormals(9, 400);
    const rows = Float32Array.from({ length: 200 * 5 }, (_, i) => {
      const [row, j] = [Math.floor(i / 5), i % 5];
      return 10 + 3 * noise[2 * row]! * u[j]! + noise[2 * row + 1]! * w[j]!;
    });
    const plane = pca2(rows, 5);
    const along = (axis: number, direction: number[]) =>
      Math.abs(direction.reduce((sum, x, j) => sum + x * plane.axes[axis * 5 + j]!, 0));
    expect(along(0, u)).toBeGreaterThan(0.99);
    expect(along(1, w)).toBeGreaterThan(0.99);
    expect(plane.explained[0] + plane.explained[1]).toBeCloseTo(1, 5);
    expect(plane.explained[0]).toBeGreaterThan(plane.explained[1]);
    expect(pca2(rows, 5)).toEqual(plane);
    // Distances in the plane are the distances in space.
    const flat = projectOn(plane, rows);
    const distance = (x: Float32Array, width: number) =>
      Math.hypot(...Array.from({ length: width }, (_, j) => x[j]! - x[width + j]!));
    expect(distance(flat, 2)).toBeCloseTo(distance(rows, 5), 3);
  });

  test('points without spread, or all on a line, give no NaN', () => {
    for (const rows of [new Float32Array(12).fill(2), Float32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2)]) {
      const plane = pca2(rows, 3);
      expect([...plane.axes, ...plane.explained, ...projectOn(plane, rows)].every(Number.isFinite)).toBe(
        true,
      );
    }
  });
});
