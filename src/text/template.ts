import { PreludeError } from '../errors.ts';

/** The fields of a row that a template may name, as the data station maps columns to them. */
const FIELDS = ['text', 'text2'] as const;

/** A checked template: literal strings and fields in turn. */
export interface Template {
  /** As the person wrote it. */
  readonly source: string;
  readonly parts: readonly (string | { readonly field: string })[];
  /** The fields it names, each once, in the order of their first appearance. */
  readonly fields: readonly string[];
}

/**
 * Templates to begin with. One text stands alone: the soft prompt takes the place of T5's task name (Lester et al. 2021,
 * section 3). Two are told apart as T5's own preprocessing of pair tasks does (Raffel et al. 2020, appendix D).
 */
export const DEFAULT_TEMPLATES = {
  single: '{text}',
  pair: 'sentence1: {text} sentence2: {text2}',
} as const;

/**
 * Reads a template: `{field}` stands for a field of the row, `{{` and `}}` for braces themselves.
 * @param known the fields a row has
 * @throws PreludeError 'bad-template': unknown or empty placeholder, a brace that is not closed or not opened, no placeholder
 */
export function parseTemplate(source: string, known: readonly string[] = FIELDS): Template {
  const parts: (string | { field: string })[] = [];
  let literal = '';
  const token = /\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+/g;
  for (const match of source.matchAll(token)) {
    const text = match[0];
    if (text === '{{' || text === '}}') literal += text[0];
    else if (text === '{') throw bad(source, match.index, 'the brace "{" is not closed', known);
    else if (text === '}') throw bad(source, match.index, 'the brace "}" was not opened', known);
    else if (text.startsWith('{')) {
      const field = text.slice(1, -1).trim();
      if (!known.includes(field))
        throw bad(
          source,
          match.index,
          field ? `there is no field "${field}"` : 'the placeholder "{}" names no field',
          known,
        );
      if (literal) parts.push(literal);
      literal = '';
      parts.push({ field });
    } else literal += text;
  }
  if (literal) parts.push(literal);
  const fields = [...new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.field])))];
  if (fields.length === 0)
    throw bad(source, 0, 'it has no placeholder, so the model would read the same text for every row', known);
  return { source, parts, fields };
}

/**
 * The text the model reads for one row. Braces in a field's own text stay as they are.
 * @throws PreludeError 'bad-template' when the row lacks a field that the template names
 */
export function render(template: Template, fields: Readonly<Record<string, string | undefined>>): string {
  return template.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = fields[part.field];
      if (value === undefined)
        throw bad(template.source, 0, `the row has no "${part.field}"`, Object.keys(fields));
      return value;
    })
    .join('');
}

function bad(source: string, at: number, message: string, known: readonly string[]): PreludeError {
  const names = known.map((field) => `{${field}}`).join(' and ');
  return new PreludeError(
    'bad-template',
    `The template "${source}": ${message}${at ? ` (character ${at + 1})` : ''}.`,
    {
      where: 'template',
      remedy: `Write ${names} where the row's text should stand; a brace itself is written twice.`,
    },
  );
}
