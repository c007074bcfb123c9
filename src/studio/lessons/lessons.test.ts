import { describe, expect, test } from 'vitest';
import models from '../../../public/models/index.json';
import samples from '../../../public/samples/index.json';
import { readSetting } from '../stores/setting.ts';
import { experimentOf, LESSONS, listItems, parseLesson, SECTIONS } from './lesson.ts';

const linksOf = (text: string) =>
  [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, href]) => href!.replace(/\s/g, ''));

test('there are five, in the order of the lessons', () => {
  expect(LESSONS.map(({ id }) => id)).toEqual([
    'soft-prompt',
    'length',
    'initialisation',
    'model-size',
    'many-tasks',
  ]);
});

describe.each(LESSONS)('$title', ({ title, opening, sections }) => {
  const bodyOf = (name: string) => sections.find((section) => section.title === name)!.body;

  test('has a title, an opening and every section with words in it', () => {
    expect(title).not.toMatch(/^#|^$/);
    expect(opening.length).toBeGreaterThan(60);
    expect(sections.map((section) => section.title)).toEqual([...SECTIONS]);
    for (const { body } of sections) expect(body.length).toBeGreaterThan(40);
  });

  test('asks for a guess among three or four', () => {
    expect(bodyOf('The question')).toContain('?');
    expect([3, 4]).toContain(listItems(bodyOf('Your guess')).length);
  });

  test('every press sets up an experiment that exists, or opens a page that does', () => {
    const links = linksOf(bodyOf('Press'));
    const pages = links.filter((href) => experimentOf(href) === undefined);
    for (const page of pages) expect(['#/prompt/inside', '#/prompt/together']).toContain(page);
    const queries = links.map(experimentOf).filter((query) => query !== undefined);
    expect(queries.length).toBeGreaterThan(0);
    for (const query of queries) {
      const { setting, notes } = readSetting(query);
      expect(notes).toEqual([]);
      expect(models.models.map(({ id }) => id)).toContain(setting.model);
      expect(samples.samples.map(({ id }) => id)).toContain(setting.sample);
    }
  });

  test('refers to sections of the paper, and praises nobody', () => {
    expect(bodyOf('In the paper')).toMatch(/Lester[\s\S]+section \d/);
    for (const { body } of sections) expect(body).not.toMatch(/!(?!\[)/);
  });
});

test('markdown falls into its parts', () => {
  const lesson = parseLesson(
    '../x/7-a-b.md',
    '# A *b*\n\nOpening.\n\n## One\nText\n### inner\n- x\n## Two\n\n- y\n* z\n',
  );
  expect(lesson).toEqual({
    id: 'a-b',
    title: 'A *b*',
    opening: 'Opening.',
    sections: [
      { title: 'One', body: 'Text\n### inner\n- x' },
      { title: 'Two', body: '- y\n* z' },
    ],
  });
  expect(listItems(lesson.sections[1]!.body)).toEqual(['y', 'z']);
});

test('only experiments become buttons', () => {
  expect(experimentOf('#/tune?promptLength=1')).toBe('promptLength=1');
  for (const href of ['#/tune', '#/tune?tour=2', '#/lessons', 'https://example.org/?x'])
    expect(experimentOf(href)).toBeUndefined();
});
