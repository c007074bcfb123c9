/** The recipe as it stands on the Tune station: every value editable, the paper's a press away. */
import { createStore } from 'zustand/vanilla';
import {
  adafactorDefaults,
  adamwDefaults,
  defaultRecipe,
  type InitSettings,
  type OptimizerSettings,
  paperRecipe,
  parseRecipe,
  type Recipe,
  sgdDefaults,
} from '../../tuning/recipe.ts';

export interface RecipeState {
  recipe: Recipe;
  set(change: Partial<Recipe>): void;
  setOptimizer(kind: OptimizerSettings['kind']): void;
  changeOptimizer(change: Partial<Record<string, number | string | boolean>>): void;
  setInit(kind: InitSettings['kind']): void;
  /** A whole recipe from outside. @throws PreludeError `bad-recipe` */
  load(value: unknown): void;
  applyPaper(): void;
  applyDefault(): void;
}

/** Each kind's usual values. */
export const OPTIMIZERS = { adafactor: adafactorDefaults, adamw: adamwDefaults, sgd: sgdDefaults };
export const INITS: Record<InitSettings['kind'], InitSettings> = {
  random: { kind: 'random', range: 0.5 },
  vocabulary: { kind: 'vocabulary', mostLikely: 5000 },
  labels: { kind: 'labels', mostLikely: 5000 },
  text: { kind: 'text', text: 'Answer with one word.' },
};

/** The tuning choices by the words the studio uses for them. */
export const INIT_NAMES: Record<InitSettings['kind'], string> = {
  random: 'random numbers',
  vocabulary: 'sampled words',
  labels: 'class labels',
  text: 'own words',
};
export const OPTIMIZER_NAMES: Record<OptimizerSettings['kind'], string> = {
  adafactor: 'Adafactor',
  adamw: 'AdamW',
  sgd: 'SGD with momentum',
};

/**
 * @param first the recipe to begin with
 * @param fixed parts that a teacher's link holds: they stay as they are in `first`, whatever else is set
 */
export function createRecipe(first: Recipe = defaultRecipe, fixed: readonly (keyof Recipe)[] = []) {
  const held = Object.fromEntries(fixed.map((part) => [part, first[part]]));
  return createStore<RecipeState>()((set) => {
    /** Only a valid recipe is taken; fields hold back what is not yet one. */
    const take = (recipe: unknown) => set({ recipe: parseRecipe({ ...(recipe as object), ...held }) });
    const change = (make: (recipe: Recipe) => unknown) =>
      set((s) => ({ recipe: parseRecipe({ ...(make(s.recipe) as object), ...held }) }));
    return {
      recipe: first,
      set: (values) => change((recipe) => ({ ...recipe, ...values })),
      setOptimizer: (kind) => change((recipe) => ({ ...recipe, optimizer: OPTIMIZERS[kind] })),
      changeOptimizer: (values) =>
        change((recipe) => ({ ...recipe, optimizer: { ...recipe.optimizer, ...values } })),
      setInit: (kind) => change((recipe) => ({ ...recipe, init: INITS[kind] })),
      load: take,
      applyPaper: () => take(paperRecipe),
      applyDefault: () => take(defaultRecipe),
    };
  });
}

export type RecipeStore = ReturnType<typeof createRecipe>;
