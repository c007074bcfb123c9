import { describe, expect, test } from 'vitest';
import type { AttentionRows } from '../../../../worker/protocol.ts';
import { type Block, shareOfRow, toTokens } from './attention.ts';
import { boundsOf, findWord, median, pointAt, viewOf, zoomed } from './mapView.ts';
import { histogram, logAxis } from './norms.ts';

describe('the map', () => {
  test('holds all points with a margin, and one that is no number nowhere', () => {
    const bounds = boundsOf([0, 0, 10, 4], [Number.NaN, 3, 2, -2]);
    expect(bounds.x0).toBeLessThan(0);
    expect(bounds.x1).toBeGreaterThan(10);
    expect(bounds.y0).toBeLessThan(-2);
    expect(bounds.y1).toBeGreaterThan(4);
    expect(boundsOf([])).toEqual({ x0: -1, x1: 1, y0: -1, y1: 1 });
  });

  test('both axes have one scale, up is up, and the middle is the middle', () => {
    const { place } = viewOf({ x0: 0, x1: 10, y0: 0, y1: 2 }, 200, 100);
    expect(place(5, 1)).toEqual([100, 50]);
    expect(place(10, 1)).toEqual([200, 50]);
    expect(place(5, 2)).toEqual([100, 30]);
  });

  test('nearer shows half of each side around a place', () => {
    expect(zoomed({ x0: 0, x1: 8, y0: 0, y1: 4 }, 2, [1, 1])).toEqual({ x0: -1, x1: 3, y0: 0, y1: 2 });
  });

  test('the word under the pointer is the nearest within reach', () => {
    const view = viewOf({ x0: 0, x1: 10, y0: 0, y1: 10 }, 100, 100);
    const xy = [1, 1, 5, 5, 5.3, 5];
    expect(pointAt(xy, view, [52, 50], 14)).toBe(2);
    expect(pointAt(xy, view, [50, 50], 14)).toBe(1);
    expect(pointAt(xy, view, [90, 10], 14)).toBeUndefined();
  });

  test('a word is found by its letters, or by how it begins', () => {
    const words = ['▁river', '▁riverbank', 'Ġlake', 'la'];
    expect(findWord(words, 'River ')).toBe(0);
    expect(findWord(words, 'riverb')).toBe(1);
    expect(findWord(words, 'la')).toBe(3);
    expect(findWord(words, 'sea')).toBeUndefined();
    expect(findWord(words, ' ')).toBeUndefined();
  });

  test('medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('norms on an axis of logarithms', () => {
  test('from a round number to a round number, equal factors are equal ways', () => {
    const axis = logAxis([0.9, 7], [1385, 0, Number.NaN]);
    expect([axis.low, axis.high]).toEqual([0.5, 2000]);
    expect(axis.at(0.5)).toBe(0);
    expect(axis.at(2000)).toBeCloseTo(1);
    expect(axis.at(10) - axis.at(1)).toBeCloseTo(axis.at(1000) - axis.at(100));
    expect(axis.ticks[0]).toBe(0.5);
    expect(axis.ticks.at(-1)).toBe(2000);
    expect(axis.ticks).toContain(100);
    expect(axis.ticks.length).toBeLessThanOrEqual(9);
  });

  test('equal values have an axis too', () => {
    const axis = logAxis([3, 3]);
    expect(axis.low).toBeLessThan(3);
    expect(axis.high).toBeGreaterThan(3);
  });

  test('a histogram is shares of one', () => {
    const axis = logAxis([1.1, 9.9]);
    const bins = histogram([1.1, 1.2, 9.5, 0], axis, 4);
    expect(bins.reduce((a, b) => a + b, 0)).toBeCloseTo(1);
    expect(bins[0]).toBeCloseTo(2 / 3);
    expect(bins[3]).toBeCloseTo(1 / 3);
  });
});

describe('attention as it is shown', () => {
  // Two rows from row 1 on, two virtual tokens, two heads: [row][token][head].
  const rows: AttentionRows = {
    first: 1,
    count: 2,
    weights: Float32Array.of(0.25, 0.5, 0.5, 0.125, 0.75, 0, 0.25, 0.5),
  };

  test('of one row, of their mean, and of one that does not ask', () => {
    expect(toTokens(rows, 2, 2, 0, 1)).toEqual([0.25, 0.5]);
    expect(toTokens(rows, 2, 2, 1, 2)).toEqual([0, 0.5]);
    expect(toTokens(rows, 2, 2, 0, undefined)).toEqual([0.5, 0.375]);
    expect(toTokens(rows, 2, 2, 0, 0)).toBeUndefined();
    expect(toTokens(rows, 2, 2, 0, 3)).toBeUndefined();
  });

  test('the share of a row is the mean over the heads, and over the layers in which it asks', () => {
    const all: AttentionRows = { first: 0, count: 3, weights: new Float32Array(12).fill(0.25) };
    const block: Block = { of: 'causal', tokens: ['a', 'b', 'c'], seen: 5, layers: [all, rows] };
    expect(shareOfRow(block, 2, 2, 1, 1)).toBeCloseTo((0.75 + 0.625) / 2);
    expect(shareOfRow(block, 2, 2, 0)).toBeCloseTo(0.5);
    expect(shareOfRow(block, 2, 2, 1)).toBeCloseTo((0.5 + 0.5 + 0.75 + 0.625) / 4);
  });
});
