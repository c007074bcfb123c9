/**
 * The whole setting as a link: model, sample, what the recipe has that the default has not, what the task has that is not
 * suggested (`taskLink.ts`), own text, look, and the controls that a teacher locks or hides. The station stands in the hash. A recipe's values go by their own names
 * (`promptLength=5&init=random&init.range=0.1`), so that a person can read and write a link.
 */
import { defaultRecipe, parseRecipe, type Recipe } from '../../tuning/recipe.ts';
import type { EngineWish } from '../../worker/protocol.ts';
import { INITS, OPTIMIZERS } from './recipe.ts';
import { isTaskKey, type TaskWish, takeWish, writeWish } from './taskLink.ts';
import { type Control, canLock, isControl, NO_TEACHER, type Teacher } from './teacher.ts';

export interface Setting {
  /** Ids of a built-in model and of a sample. */
  model?: string;
  sample?: string;
  /** A mirror of the hub that models are taken from. */
  hub?: string;
  /** The default recipe with the link's values; undefined where the link has none. */
  recipe?: Recipe;
  /** What the task has that is not suggested for the sample. */
  task?: TaskWish;
  text?: string;
  text2?: string;
  /** What computes; without it the studio sees for itself. */
  engine?: EngineWish;
  theme?: 'light' | 'dark';
  big?: boolean;
  teacher: Teacher;
}

export interface ReadSetting {
  setting: Setting;
  /** What of the link could not be used, in words. */
  notes: string[];
}

/** Longer texts are no sentence to try, and some programs cut long links. */
const LONGEST_TEXT = 1000;
const ID = /^[\w.-]{1,80}$/;
/** Both choose which further values there are, so they are read first. */
const KINDS = ['init', 'optimizer'] as const;

/** Reads the part of an address after `?`. Never throws: what is off is left out and said. */
export function readSetting(search: string): ReadSetting {
  const query = new URLSearchParams(search);
  const setting: Setting = { teacher: NO_TEACHER };
  const notes: string[] = [];
  const unknown: string[] = [];
  const wrong = (key: string, why: string) => notes.push(`“${key}” in the link ${why}; it was left out.`);
  let recipe = defaultRecipe;
  let changed = false;

  const takeRecipe = (key: string, value: string) => {
    try {
      recipe = parseRecipe(withValue(recipe, key, value));
      changed = true;
    } catch {
      wrong(key, `cannot be ${value || 'empty'}`);
    }
  };
  for (const key of KINDS) {
    const value = query.get(key);
    if (value !== null) takeRecipe(key, value);
  }

  for (const key of new Set(query.keys())) {
    const value = query.get(key) ?? '';
    if ((KINDS as readonly string[]).includes(key)) continue;
    if (key === 'model' || key === 'sample') {
      if (ID.test(value)) setting[key] = value;
      else wrong(key, 'is no id');
    } else if (key === 'hub') {
      if (/^https?:\/\/[^/]/.test(value) && URL.canParse(value)) setting.hub = value;
      else wrong(key, 'is no address that begins with https:// or http://');
    } else if (key === 'text' || key === 'text2') {
      if (value.length <= LONGEST_TEXT) setting[key] = value;
      else wrong(key, `is longer than ${LONGEST_TEXT} characters`);
    } else if (key === 'engine') {
      if (value === 'auto' || value === 'webgpu' || value === 'onnx') setting.engine = value;
      else wrong(key, 'is none of auto, webgpu and onnx');
    } else if (key === 'theme') {
      if (value === 'light' || value === 'dark') setting.theme = value;
      else wrong(key, 'is neither light nor dark');
    } else if (key === 'big') setting.big = value !== '0';
    else if (key === 'lock' || key === 'hide') {
      const found = controls(value, key === 'lock', (id) =>
        notes.push(`“${id}” cannot be ${key === 'lock' ? 'locked' : 'hidden'} by a link; it was left out.`),
      );
      setting.teacher = { ...setting.teacher, [key === 'lock' ? 'locked' : 'hidden']: found };
    } else if (isTaskKey(key)) {
      const wish = { ...setting.task };
      const why = takeWish(wish, key, value);
      if (why) wrong(key, why);
      else setting.task = wish;
    } else if (currentValue(recipe, key) !== undefined) takeRecipe(key, value);
    else unknown.push(key);
  }
  if (unknown.length)
    notes.push(`Not known here, and left out: ${unknown.map((key) => key.slice(0, 40)).join(', ')}.`);
  const { task } = setting;
  if (task?.roles && !(task.roles.text && task.roles.label)) {
    notes.push('The link names a column for the text or for the label, but not for both; it was left out.');
    setting.task = { ...task, roles: undefined };
  }
  if (changed) setting.recipe = recipe;
  return { setting, notes };
}

/** The part of an address after `?`, without it; empty where all is as on a first visit. */
export function writeSetting(setting: Setting): string {
  const query = new URLSearchParams();
  const { model, sample, hub, recipe, task, text, text2, engine, theme, big, teacher } = setting;
  if (model) query.set('model', model);
  if (sample) query.set('sample', sample);
  if (hub) query.set('hub', hub);
  if (recipe) for (const [key, value] of recipeValues(recipe)) query.set(key, String(value));
  if (task) for (const [key, value] of writeWish(task)) query.set(key, value);
  if (text) query.set('text', text.slice(0, LONGEST_TEXT));
  if (text2) query.set('text2', text2.slice(0, LONGEST_TEXT));
  if (engine) query.set('engine', engine);
  if (theme) query.set('theme', theme);
  if (big !== undefined) query.set('big', big ? '1' : '0');
  if (teacher.locked.size) query.set('lock', [...teacher.locked].join(','));
  if (teacher.hidden.size) query.set('hide', [...teacher.hidden].join(','));
  // A list reads better with its commas, and they are allowed there.
  return query.toString().replaceAll('%2C', ',');
}

/** What a recipe has that the default has not, by name. */
export function recipeValues(recipe: Recipe): [key: string, value: string | number | boolean][] {
  const values: [string, string | number | boolean][] = [];
  for (const key of Object.keys(defaultRecipe) as (keyof Recipe)[]) {
    const value = recipe[key];
    if (typeof value !== 'object') {
      if (value !== defaultRecipe[key]) values.push([key, value]);
      continue;
    }
    const usual = key === 'init' ? INITS[value.kind as keyof typeof INITS] : optimizerOf(value.kind);
    if (value.kind !== (defaultRecipe[key] as typeof value).kind) values.push([key, value.kind]);
    for (const [name, inner] of Object.entries(value))
      if (name !== 'kind' && inner !== (usual as Record<string, unknown>)[name])
        values.push([`${key}.${name}`, inner]);
  }
  return values;
}

function optimizerOf(kind: string) {
  return OPTIMIZERS[kind as keyof typeof OPTIMIZERS];
}

function currentValue(recipe: Recipe, key: string): unknown {
  const [first, second, ...rest] = key.split('.');
  if (rest.length || !Object.hasOwn(recipe, first!)) return undefined;
  const value = recipe[first as keyof Recipe];
  if (second === undefined) return typeof value === 'object' ? undefined : value;
  if (second === 'kind' || typeof value !== 'object' || !Object.hasOwn(value, second)) return undefined;
  return (value as Record<string, unknown>)[second];
}

/** The recipe with one value of a link, in the type that stands there; not yet checked. */
function withValue(recipe: Recipe, key: string, value: string): unknown {
  if (key === 'init')
    return { ...recipe, init: Object.hasOwn(INITS, value) ? INITS[value as 'random'] : value };
  if (key === 'optimizer')
    return { ...recipe, optimizer: Object.hasOwn(OPTIMIZERS, value) ? optimizerOf(value) : value };
  const before = currentValue(recipe, key);
  const typed =
    typeof before === 'number'
      ? value.trim() === ''
        ? value
        : Number(value)
      : typeof before === 'boolean'
        ? value === 'true' || (value !== 'false' && value)
        : value;
  const [first, second] = key.split('.') as [keyof Recipe, string | undefined];
  return { ...recipe, [first]: second ? { ...(recipe[first] as object), [second]: typed } : typed };
}

function controls(list: string, locking: boolean, refuse: (id: string) => void): Set<Control> {
  const found = new Set<Control>();
  for (const id of list.split(',').filter(Boolean))
    if (isControl(id) && (!locking || canLock(id))) found.add(id);
    else refuse(id.slice(0, 40));
  return found;
}
