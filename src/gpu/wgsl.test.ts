import { describe, expect, test } from 'vitest';
import { expandWgsl } from './wgsl.ts';

describe('expandWgsl', () => {
  test('repeats and substitutes, nested', () => {
    const text = [
      '//# for i in R',
      '  //# for j in 2',
      'a$(i)_$(j) = $(i * 2 + j);',
      '  //# end',
      '//# end',
      'done',
    ].join('\n');
    expect(expandWgsl(text, { R: 2 })).toBe('a0_0 = 0;\na0_1 = 1;\na1_0 = 2;\na1_1 = 3;\ndone');
  });

  test('chooses', () => {
    const text = '//# if BIAS && N % 4 == 0\nyes\n//# else\nno $TYPE\n//# end';
    expect(expandWgsl(text, { BIAS: true, N: 8, TYPE: 'f32' })).toBe('yes');
    expect(expandWgsl(text, { BIAS: true, N: 6, TYPE: 'f32' })).toBe('no f32');
  });

  test('precedence and parentheses', () => {
    expect(expandWgsl('$(1 + 2 * 3 - (4 - 1)) $((7 + 1) / 3)', {})).toBe('4 2');
  });

  test.each([
    ['//# for i in 2\nx', /line 1: no "\/\/# end"/],
    ['ok\n$missing', /line 2: unknown name \$missing/],
    ['$(A + )', /unexpected end/],
    ['//# while 1\n//# end', /line 1/],
  ])('names the line of a mistake: %s', (text, message) => {
    expect(() => expandWgsl(text, { A: 1 })).toThrow(message);
  });
});
