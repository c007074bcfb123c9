/** A teacher's hand on the studio: which controls a link locks (shown, but fixed) or hides. Plain data, fixed for a visit. */
import type { Recipe } from '../../tuning/recipe.ts';

export interface ControlInfo {
  title: string;
  /** Stations and panels can only be hidden; what has a value can be locked too. */
  canLock: boolean;
  /** The part of the recipe that it sets. */
  recipe?: keyof Recipe;
}

/** Every control that a link can name, by its id in the URL. */
export const CONTROLS = {
  model: { title: 'Model station', canLock: false },
  data: { title: 'Data station', canLock: false },
  results: { title: 'Results station', canLock: false },
  prompt: { title: 'Prompt station', canLock: false },
  lessons: { title: 'Lessons', canLock: false },
  share: { title: 'Share', canLock: false },
  length: { title: 'Prompt length', canLock: true, recipe: 'promptLength' },
  start: { title: 'Start from', canLock: true, recipe: 'init' },
  rate: { title: 'Learning rate and optimizer', canLock: true, recipe: 'optimizer' },
  steps: { title: 'Steps', canLock: true, recipe: 'steps' },
  batch: { title: 'Batch', canLock: true, recipe: 'batchSize' },
  seed: { title: 'Seed', canLock: true, recipe: 'seed' },
  loss: { title: 'Loss', canLock: true, recipe: 'loss' },
  settings: { title: 'All settings, paper’s values', canLock: false },
  ideas: { title: 'You could try…', canLock: false },
  tryit: { title: 'Try it', canLock: false },
  runs: { title: 'List of runs', canLock: false },
} as const satisfies Record<string, ControlInfo>;

export type Control = keyof typeof CONTROLS;

export interface Teacher {
  locked: ReadonlySet<Control>;
  hidden: ReadonlySet<Control>;
}

export const NO_TEACHER: Teacher = { locked: new Set(), hidden: new Set() };

export function isControl(id: string): id is Control {
  return Object.hasOwn(CONTROLS, id);
}

export function canLock(id: Control): boolean {
  return CONTROLS[id].canLock;
}

/** The parts of the recipe that nothing in the studio may change: what is locked, and what is hidden. */
export function fixedParts({ locked, hidden }: Teacher): (keyof Recipe)[] {
  return [...locked, ...hidden].flatMap((id) => {
    const info: ControlInfo = CONTROLS[id];
    return info.recipe ? [info.recipe] : [];
  });
}
