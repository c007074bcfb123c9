import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TEMPLATES, parseTemplate, render } from './template.ts';

describe('parseTemplate', () => {
  it('finds fields and literals', () => {
    const template = parseTemplate('Review: {text} Second: { text2 } {{{text}}}');
    expect(template.fields).toEqual(['text', 'text2']);
    expect(render(template, { text: 'A', text2: 'B' })).toBe('Review: A Second: B {A}');
  });

  it.each<[string, RegExp]>([
    ['Review: {title}', /no field "title" \(character 9\)/],
    ['Review: {text', /"\{" is not closed/],
    ['Review: text}', /"\}" was not opened/],
    ['{a{text}}', /"\{" is not closed/],
    ['{}', /names no field/],
    ['Review:', /no placeholder/],
    ['', /no placeholder/],
    ['{{text}}', /no placeholder/],
  ])('refuses %j', (source, message) => {
    expect(() => parseTemplate(source)).toThrow(
      expect.objectContaining({ code: 'bad-template', message: expect.stringMatching(message) }),
    );
  });

  it('takes any fields a table has', () => {
    expect(render(parseTemplate('{größe} {a b}', ['größe', 'a b']), { größe: '1', 'a b': '2' })).toBe('1 2');
  });
});

describe('render', () => {
  it('leaves braces in the row alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, text2) => {
        expect(render(parseTemplate('{text}|{text2}'), { text, text2 })).toBe(`${text}|${text2}`);
      }),
    );
  });

  it('gives back any literal, braces doubled', () => {
    fc.assert(
      fc.property(fc.string(), (literal) => {
        const source = `${literal.replaceAll('{', '{{').replaceAll('}', '}}')} {text}`;
        expect(render(parseTemplate(source), { text: 'x' })).toBe(`${literal} x`);
      }),
    );
  });

  it('says which field a row lacks', () => {
    expect(() => render(parseTemplate(DEFAULT_TEMPLATES.pair), { text: 'a' })).toThrow(/no "text2"/);
  });

  it('begins pairs as T5 does', () => {
    expect(render(parseTemplate(DEFAULT_TEMPLATES.pair), { text: 'a', text2: 'b' })).toBe(
      'sentence1: a sentence2: b',
    );
    expect(render(parseTemplate(DEFAULT_TEMPLATES.single), { text: 'a' })).toBe('a');
  });
});
