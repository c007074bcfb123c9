import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskSettings } from '../../worker/protocol.ts';
import { createStudio } from '../studio.tsx';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { currentSetting, openSetting } from './openSetting.ts';
import { readSetting, writeSetting } from './setting.ts';
import { fitsLink, LONGEST_TASK, type TaskWish, wishOf, withWish } from './taskLink.ts';
import { NO_TEACHER } from './teacher.ts';

const suggested: TaskSettings = {
  roles: { text: 'text', label: 'label' },
  template: '{text}',
  writtenPrompt: 'fact or opinion : {text}',
  verbalizers: { fact: 'fact', opinion: 'opinion' },
  appendEos: false,
  maxTokens: 48,
  split: { kind: 'stratified', train: 0.7, dev: 0.15, test: 0.15, seed: 7 },
};

/** Through a link and back. */
const carried = (settings: TaskSettings) => {
  const link = writeSetting({ task: wishOf(settings, suggested), teacher: NO_TEACHER });
  const { setting, notes } = readSetting(link);
  expect(notes).toEqual([]);
  return { link, settings: withWish(suggested, setting.task) };
};

describe('the task in a link', () => {
  test('the suggestion needs no words', () => {
    expect(wishOf(suggested, structuredClone(suggested))).toBeUndefined();
    expect(carried(suggested).link).toBe('');
  });

  test('template, words, split and limit go there and come back', () => {
    const own: TaskSettings = {
      ...suggested,
      template: 'Is this so? {text} & why',
      writtenPrompt: '',
      verbalizers: { fact: 'yes', opinion: 'opinion' },
      appendEos: true,
      maxTokens: 20,
      split: { kind: 'last-quarter', dev: 0.2, seed: 3 },
    };
    const { link, settings } = carried(own);
    expect(settings).toEqual(own);
    expect(link).toContain('word.fact=yes');
    expect(link).not.toContain('opinion');
  });

  test('any label and word, and other columns', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 20 }),
        fc.string({ minLength: 1, maxLength: 20 }).filter((word) => word.trim() !== ''),
        (label, word) => {
          const own = {
            ...suggested,
            roles: { text: 'title', text2: 'body', label: 'class' },
            verbalizers: { ...suggested.verbalizers, [label]: word },
          };
          expect(carried(own).settings).toEqual(own);
        },
      ),
    );
  });

  test('what is off is left out and said', () => {
    const { setting, notes } = readSetting(
      'template=nothing&maxTokens=1&split=2,0,0,1&word.fact=+&column.text=a&eos=1',
    );
    expect(setting.task).toEqual({ appendEos: true, roles: undefined });
    expect(notes).toEqual([
      expect.stringContaining('“template” in the link has no {text}'),
      expect.stringContaining('“maxTokens”'),
      expect.stringContaining('“split”'),
      expect.stringContaining('“word.fact” in the link cannot be empty'),
      expect.stringContaining('but not for both'),
    ]);
  });

  test('a link has a sensible length', () => {
    const wish: TaskWish = { template: `${'x'.repeat(LONGEST_TASK)}{text}` };
    expect(fitsLink(wish)).toBe(false);
    expect(fitsLink({ template: '{text}' })).toBe(true);
  });
});

test('a link with a template opens with it, and goes into the next link', async () => {
  const link = 'sample=questions&template=Question%3A+%7Btext%7D&word.number=count';
  const asked = readSetting(link);
  const studio = createStudio(createFakeEngine(), asked.setting);
  openSetting(studio, asked);
  await expect.poll(() => studio.session.getState().phase).toBe('ready');
  const { task } = studio.session.getState();
  expect(task!.settings).toMatchObject({
    template: 'Question: {text}',
    verbalizers: { number: 'count' },
  });
  const { setting, missing } = currentSetting(studio);
  expect(missing).toEqual([]);
  expect(setting.task).toEqual(asked.setting.task);
});

test('a template that the rows cannot take is said, and the suggestion stands', async () => {
  const engine = createFakeEngine();
  const plain = engine.setTask;
  engine.setTask = async (settings, onProgress) => {
    if (settings.template.includes('{text3}'))
      throw { code: 'bad-template', message: 'No {text3} here.', remedy: 'Take it out.' };
    return plain(settings, onProgress);
  };
  const asked = readSetting('template=%7Btext%7D+%7Btext3%7D');
  const studio = createStudio(engine, asked.setting);
  openSetting(studio, asked);
  await expect.poll(() => studio.session.getState().phase).toBe('ready');
  expect(studio.session.getState().task!.settings.template).not.toContain('text3');
  expect(studio.notices.getState().toasts.map(({ message }) => message)).toEqual([
    expect.stringContaining('No {text3} here.'),
  ]);
});
