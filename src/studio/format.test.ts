import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatPercent,
  formatRate,
  formatSeconds,
  formatSetting,
  plural,
} from './format.ts';

describe('numbers as a person reads them', () => {
  test('counts are grouped', () => expect(formatCount(1182)).toBe('1,182'));
  test('percent has one digit and a space', () => expect(formatPercent(0.8418)).toBe('84.2 %'));
  test.each([
    [512, '512 B'],
    [15_360, '15 kB'],
    [999_600, '1.0 MB'],
    [5_116_416, '5.1 MB'],
    [2 ** 31, '2.1 GB'],
  ])('%d bytes are %s', (bytes, words) => expect(formatBytes(bytes)).toBe(words));
  test.each([
    [0.42, '0.4 s'],
    [9.96, '10 s'],
    [59.7, '1 min'],
    [95, '1 min 35 s'],
    [3599.6, '1 h'],
    [4000, '1 h 7 min'],
    [Number.NaN, 'unknown'],
  ])('%d seconds are %s', (seconds, words) => expect(formatSeconds(seconds)).toBe(words));
  test.each([
    [0, '0'],
    [0.0312, '0.0312'],
    [1385.2, '1,385'],
    [0.00001234, '1.2e-5'],
    [Number.NaN, 'not a number'],
    [Number.POSITIVE_INFINITY, 'infinite'],
  ])('%d is written %s', (value, words) => expect(formatNumber(value)).toBe(words));
  test('settings stay as they were typed', () => {
    expect(formatSetting(0.3)).toBe('0.3');
    expect(formatSetting(0.00001)).toBe('1e-5');
  });
  test('rates keep two digits below ten', () => {
    expect(formatRate(31.4)).toBe('31');
    expect(formatRate(0.418)).toBe('0.42');
  });
  test('plural', () => {
    expect(plural(1, 'row')).toBe('1 row');
    expect(plural(2000, 'row')).toBe('2,000 rows');
  });
});
