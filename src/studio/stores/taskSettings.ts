/** Changes of a task's settings, and what is wrong with them before the engine is asked. Plain functions. */
import { PreludeError } from '../../errors.ts';
import { DEFAULT_TEMPLATES, parseTemplate } from '../../text/index.ts';
import type { Roles, TaskSettings } from '../../worker/protocol.ts';

export type SettingName = 'roles' | 'template' | 'writtenPrompt' | 'split';

/** What keeps these settings from being used, by field; empty when nothing does. */
export function problemsOf(
  settings: TaskSettings,
  columns: readonly string[],
): Partial<Record<SettingName, string>> {
  const problems: Partial<Record<SettingName, string>> = {};
  const roles = rolesProblem(settings.roles, columns);
  if (roles) problems.roles = roles;
  const template = templateProblem(settings.template, settings.roles);
  if (template) problems.template = template;
  const written = settings.writtenPrompt.trim() && templateProblem(settings.writtenPrompt, settings.roles);
  if (written) problems.writtenPrompt = written;
  const split = splitProblem(settings);
  if (split) problems.split = split;
  return problems;
}

function rolesProblem({ text, text2, label }: Roles, columns: readonly string[]): string | undefined {
  const missing = [text, text2, label].find((column) => column !== undefined && !columns.includes(column));
  if (missing !== undefined) return `The table has no column "${missing}".`;
  if (text === label || text2 === label) return 'The label must be another column than the text.';
  if (text === text2) return 'The second text must be another column than the first.';
  return undefined;
}

function templateProblem(template: string, roles: Roles): string | undefined {
  const known = roles.text2 === undefined ? ['text'] : ['text', 'text2'];
  try {
    const { fields } = parseTemplate(template, known);
    const unused = known.find((field) => !fields.includes(field));
    return unused && `{${unused}} does not stand in it, so the model would never read that column.`;
  } catch (error) {
    if (error instanceof PreludeError) return error.message;
    throw error;
  }
}

function splitProblem({ split }: TaskSettings): string | undefined {
  const shares = split.kind === 'stratified' ? [split.train, split.dev, split.test] : [0.75, split.dev];
  const sum = shares.reduce((a, b) => a + b, 0);
  if (split.kind === 'stratified' && Math.abs(sum - 1) > 1e-6)
    return `The shares add up to ${Math.round(sum * 100)} %, not to 100 %.`;
  if (split.kind === 'stratified' && split.train <= 0) return 'Some rows must be left to train on.';
  return undefined;
}

/** A column put into a role; where it had another role already, the two change places. */
export function withColumn(roles: Roles, role: keyof Roles, column: string): Roles {
  const other = (['text', 'text2', 'label'] as const).find((name) => name !== role && roles[name] === column);
  if (!other || roles[role] === undefined) return { ...roles, [role]: column };
  return { ...roles, [role]: column, [other]: roles[role] };
}

/**
 * Other columns: the templates follow where a second text comes or goes, and words for labels of another column are
 * forgotten.
 */
export function withRoles(settings: TaskSettings, roles: Roles): TaskSettings {
  const next: TaskSettings = { ...settings, roles };
  if (roles.label !== settings.roles.label) {
    next.verbalizers = {};
    next.writtenPrompt = '';
  }
  const pair = roles.text2 !== undefined;
  if (pair !== (settings.roles.text2 !== undefined)) {
    next.template = fitTemplate(settings.template, pair);
    if (next.writtenPrompt) next.writtenPrompt = fitTemplate(settings.writtenPrompt, pair);
  }
  return next;
}

function fitTemplate(template: string, pair: boolean): string {
  if (template.trim() === DEFAULT_TEMPLATES.single && pair) return DEFAULT_TEMPLATES.pair;
  if (template.trim() === DEFAULT_TEMPLATES.pair && !pair) return DEFAULT_TEMPLATES.single;
  if (pair) return template.includes('{text2}') ? template : `${template} {text2}`;
  return template.replace(/\s*\{text2\}/g, '');
}

/** The word for a label; an empty one, or the label itself, takes the entry away. */
export function withWord(settings: TaskSettings, label: string, word: string): TaskSettings {
  const verbalizers = { ...settings.verbalizers };
  const clean = word.trim();
  if (clean === '' || clean === label) delete verbalizers[label];
  else verbalizers[label] = clean;
  return { ...settings, verbalizers };
}

/** Two settings that ask the same of the engine. Files are compared by identity. */
export function sameSettings(a: TaskSettings, b: TaskSettings): boolean {
  return (
    a.devFile === b.devFile &&
    a.testFile === b.testFile &&
    JSON.stringify(plain(a)) === JSON.stringify(plain(b))
  );
}

function plain({ devFile: _dev, testFile: _test, ...rest }: TaskSettings) {
  return {
    ...rest,
    roles: [rest.roles.text, rest.roles.text2, rest.roles.label],
    verbalizers: Object.entries(rest.verbalizers).sort(([x], [y]) => (x < y ? -1 : 1)),
  };
}
