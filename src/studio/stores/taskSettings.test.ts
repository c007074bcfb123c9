import { describe, expect, it } from 'vitest';
import type { TaskSettings } from '../../worker/protocol.ts';
import { problemsOf, sameSettings, withColumn, withRoles, withWord } from './taskSettings.ts';

const columns = ['text', 'other', 'label', 'kind'];
const settings: TaskSettings = {
  roles: { text: 'text', label: 'label' },
  template: '{text}',
  writtenPrompt: 'good or bad : {text}',
  verbalizers: { pos: 'good' },
  appendEos: true,
  maxTokens: 128,
  split: { kind: 'stratified', train: 0.7, dev: 0.15, test: 0.15, seed: 7 },
};

describe('problemsOf', () => {
  it('finds nothing wrong with what can be used', () => {
    expect(problemsOf(settings, columns)).toEqual({});
    expect(problemsOf({ ...settings, writtenPrompt: ' ' }, columns)).toEqual({});
  });
  it('wants each column once, and in the table', () => {
    const roles = (text: string, label: string, text2?: string) =>
      problemsOf(
        { ...settings, roles: { text, label, text2 }, template: text2 ? '{text}{text2}' : '{text}' },
        columns,
      ).roles;
    expect(roles('text', 'gone')).toContain('"gone"');
    expect(roles('text', 'text')).toContain('label');
    expect(roles('text', 'label', 'label')).toContain('label');
    expect(roles('text', 'label', 'text')).toContain('second text');
    expect(roles('text', 'label', 'other')).toBeUndefined();
  });
  it('wants the template to name the fields that there are', () => {
    const template = (template: string) => problemsOf({ ...settings, template }, columns).template;
    expect(template('no field')).toBeDefined();
    expect(template('{text} {text2}')).toContain('text2');
    expect(template('{tex')).toContain('not closed');
    const pair = { ...settings, roles: { text: 'text', text2: 'other', label: 'label' } };
    expect(problemsOf(pair, columns).template).toContain('{text2}');
  });
  it('wants shares that make a whole', () => {
    const split = { kind: 'stratified', train: 0.7, dev: 0.2, test: 0.2, seed: 1 } as const;
    expect(problemsOf({ ...settings, split }, columns).split).toContain('110 %');
    expect(problemsOf({ ...settings, split: { ...split, train: 0, dev: 0.8 } }, columns).split).toBeDefined();
  });
});

describe('withRoles', () => {
  it('takes the second text into the templates and out again', () => {
    const pair = withRoles(settings, { text: 'text', text2: 'other', label: 'label' });
    expect(pair.template).toBe('sentence1: {text} sentence2: {text2}');
    expect(pair.writtenPrompt).toBe('good or bad : {text} {text2}');
    const back = withRoles(pair, settings.roles);
    expect(back.template).toBe('{text}');
    expect(back.writtenPrompt).toBe(settings.writtenPrompt);
  });
  it('forgets words of another label column', () => {
    const next = withRoles(settings, { text: 'text', label: 'kind' });
    expect(next.verbalizers).toEqual({});
    expect(next.writtenPrompt).toBe('');
  });
});

it('withWord keeps no word that says what the label says', () => {
  expect(withWord(settings, 'neg', ' bad ').verbalizers).toEqual({ pos: 'good', neg: 'bad' });
  expect(withWord(settings, 'pos', '').verbalizers).toEqual({});
  expect(withWord(settings, 'pos', 'pos').verbalizers).toEqual({});
});

it('sameSettings sees through order and undefined, but not through files', () => {
  expect(
    sameSettings(settings, { ...settings, roles: { label: 'label', text: 'text', text2: undefined } }),
  ).toBe(true);
  expect(sameSettings(settings, { ...settings, maxTokens: 64 })).toBe(false);
  expect(sameSettings(settings, { ...settings, devFile: new File([], 'dev.csv') })).toBe(false);
});

describe('withColumn', () => {
  const roles = { text: 'a', text2: 'b', label: 'c' };
  it('a free column takes the role', () => {
    expect(withColumn(roles, 'text', 'd')).toEqual({ text: 'd', text2: 'b', label: 'c' });
  });
  it('a column with another role changes places', () => {
    expect(withColumn(roles, 'label', 'a')).toEqual({ text: 'c', text2: 'b', label: 'a' });
    expect(withColumn(roles, 'text2', 'b')).toEqual(roles);
  });
  it('where there is nothing to change places with, what is wrong is said by the check', () => {
    const single = { text: 'a', label: 'c' };
    const next = withColumn(single, 'text2', 'a');
    expect(next).toEqual({ text: 'a', text2: 'a', label: 'c' });
  });
});
