/**
 * Lessons are markdown files of `docs/teaching/`, one text for who reads the project and for who sits before the studio. A
 * lesson is a title, an opening, and sections of fixed names; a link `#/tune?...` in it is an experiment that a press sets up.
 */

export interface Lesson {
  /** In the address: `#/lessons/length`. */
  id: string;
  title: string;
  opening: string;
  sections: { title: string; body: string }[];
}

/** The sections that every lesson has, in this order. */
export const SECTIONS = [
  'The question',
  'Your guess',
  'Press',
  'What to see',
  'Why',
  'In the paper',
  'Where this model differs',
] as const;

/** What is not shown before a guess was made. */
export const AFTER_GUESS: readonly string[] = [
  'What to see',
  'Why',
  'In the paper',
  'Where this model differs',
];

/** @param name the file's name, `2-length.md` */
export function parseLesson(name: string, markdown: string): Lesson {
  const [head = '', ...parts] = markdown.split(/^## /m);
  const [first = '', ...opening] = head.trim().split('\n');
  return {
    id: name.replace(/^.*\//, '').replace(/^\d-/, '').replace(/\.md$/, ''),
    title: first.replace(/^# /, ''),
    opening: opening.join('\n').trim(),
    sections: parts.map((part) => {
      const end = part.indexOf('\n');
      return { title: part.slice(0, end).trim(), body: part.slice(end + 1).trim() };
    }),
  };
}

/** The lines of a markdown list. */
export function listItems(body: string): string[] {
  return body
    .split('\n')
    .filter((line) => /^[-*] /.test(line))
    .map((line) => line.slice(2).trim());
}

/** What stands after `?` in a link that sets up an experiment; undefined for any other link. */
export function experimentOf(href: string): string | undefined {
  const [path, query] = href.split('?');
  return path === '#/tune' && query !== undefined && !query.startsWith('tour=') ? query : undefined;
}

const files = import.meta.glob<string>('../../../docs/teaching/[1-9]-*.md', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** In the order of their file names. */
export const LESSONS: readonly Lesson[] = Object.entries(files)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([name, text]) => parseLesson(name, text));
