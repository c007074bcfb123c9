import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeCard, STOPS, stopNumber } from './stops.ts';

describe('the tour', () => {
  test('has six to eight stops, each with something to point at', () => {
    expect(STOPS.length).toBeGreaterThanOrEqual(6);
    expect(STOPS.length).toBeLessThanOrEqual(8);
    for (const stop of STOPS) expect(stop.targets.length).toBeGreaterThan(0);
    expect(new Set(STOPS.map((stop) => stop.title)).size).toBe(STOPS.length);
  });

  test.each([
    ['3', 3],
    ['1', 1],
    [String(STOPS.length), STOPS.length],
    ['0', undefined],
    ['9', undefined],
    ['2.5', undefined],
    ['', undefined],
    ['three', undefined],
    [null, undefined],
  ])('?tour=%s is stop %s', (value, number) => expect(stopNumber(value)).toBe(number));

  const card = { width: 308, height: 180 };
  const desk = { width: 1280, height: 800 };

  test('the card stands beside what it speaks of', () => {
    expect(placeCard({ left: 20, top: 60, width: 240, height: 300 }, card, desk)).toEqual({
      left: 274,
      top: 60,
    });
    expect(placeCard({ left: 1000, top: 60, width: 280, height: 700 }, card, desk)).toEqual({
      left: 678,
      top: 60,
    });
    expect(placeCard({ left: 20, top: 400, width: 1240, height: 100 }, card, desk)).toEqual({
      left: 20,
      top: 514,
    });
    expect(placeCard({ left: 20, top: 500, width: 1240, height: 290 }, card, desk)).toEqual({
      left: 20,
      top: 306,
    });
  });

  test('and never outside a window that has room for it', () => {
    const size = fc.integer({ min: 0, max: 3000 });
    const place = fc.integer({ min: -2000, max: 3000 });
    fc.assert(
      fc.property(
        fc.record({ left: place, top: place, width: size, height: size }),
        fc.record({
          width: fc.integer({ min: 340, max: 2000 }),
          height: fc.integer({ min: 220, max: 1200 }),
        }),
        (target, view) => {
          const { left, top } = placeCard(target, card, view);
          expect(left).toBeGreaterThanOrEqual(0);
          expect(top).toBeGreaterThanOrEqual(0);
          expect(left + card.width).toBeLessThanOrEqual(view.width);
          expect(top + card.height).toBeLessThanOrEqual(view.height);
        },
      ),
    );
  });
});
