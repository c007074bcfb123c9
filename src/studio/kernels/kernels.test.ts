import { describe, expect, test } from 'vitest';
import { defaultRecipe } from '../../tuning/recipe.ts';
import { createStudio } from '../studio.tsx';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { fakeProfile } from '../testing/fakeProfile.ts';
import { createProfileStore } from './profileStore.ts';
import {
  formatMicroseconds,
  formatOperations,
  groupDispatches,
  partSums,
  rates,
  roofAt,
  timeline,
} from './profileView.ts';

const profile = fakeProfile(32);

describe('a step’s profile', () => {
  test.each(['kernel', 'layer', 'dispatch'] as const)(
    'by %s: nothing is lost, the dearest comes first',
    (by) => {
      const groups = groupDispatches(profile, by);
      expect(groups.reduce((sum, { us }) => sum + us, 0)).toBeCloseTo(profile.busyUs, 3);
      expect(groups.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual(
        profile.dispatches.map((_, i) => i),
      );
      expect(groups.map(({ us }) => us)).toEqual(groups.map(({ us }) => us).sort((a, b) => b - a));
      expect(groups.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
      for (const { roofShare } of groups) expect(roofShare).toBeGreaterThan(0);
    },
  );

  test('forward and backward of one kernel are two groups', () => {
    const parts = groupDispatches(profile, 'layer').map(({ name, part }) => `${name} ${part}`);
    expect(parts).toContain('encoder 1 forward');
    expect(parts).toContain('encoder 1 backward');
  });

  test('a group without measurable time claims no roof', () => {
    const still = {
      ...profile,
      dispatches: profile.dispatches.map((d) => ({ ...d, durationUs: 0, roofShare: undefined })),
      busyUs: 0,
    };
    const [group] = groupDispatches(still, 'kernel');
    expect(group).toMatchObject({ share: 0, roofShare: undefined });
    expect(rates(group!)).toBeUndefined();
  });

  test('lanes are the parts that occur, in the order of a step', () => {
    const { lanes, bars } = timeline(profile);
    expect(lanes).toEqual(['forward', 'backward', 'update']);
    expect(partSums(profile).map(({ part }) => part)).toEqual(lanes);
    for (const { left, width } of bars) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  test('the roof is memory’s slope up to the ridge, arithmetic’s height after it', () => {
    const ceiling = { gflops: 100, gbytesPerSecond: 50 };
    expect([0.5, 2, 8].map((intensity) => roofAt(intensity, ceiling))).toEqual([25, 100, 100]);
  });
});

test.each([
  [0, '0 µs'],
  [0.4, '0.4 µs'],
  [84.2, '84 µs'],
  [1240, '1.2 ms'],
  [83_000, '83 ms'],
  [312_000, '312 ms'],
  [1_900_000, '1.9 s'],
])('%d µs reads %s', (us, words) => {
  expect(formatMicroseconds(us)).toBe(words);
});

test('operations with their unit', () => {
  expect([12, 4200, 3.4e8, 2.1e9].map(formatOperations)).toEqual(['12', '4.2 k', '340 M', '2.1 G']);
});

test('a measurement chooses its dearest dispatch, and is forgotten with the model', async () => {
  const engine = createFakeEngine();
  const studio = createStudio(engine);
  const store = createProfileStore(engine, studio.session, studio.notices);
  await studio.session.getState().begin();
  await store.getState().measure(defaultRecipe);
  const { profile: measured, selected } = store.getState();
  const times = measured!.dispatches.map(({ durationUs }) => durationUs);
  expect(times[selected!]).toBe(Math.max(...times));
  store.getState().select(-5);
  expect(store.getState().selected).toBe(0);
  store.getState().select(1e9);
  expect(store.getState().selected).toBe(times.length - 1);
  await studio.session.getState().loadModel({ kind: 'builtin', id: 'tiny' });
  expect(store.getState().profile).toBeUndefined();
});
