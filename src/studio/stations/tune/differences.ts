import { defaultRecipe, type Recipe } from '../../../tuning/recipe.ts';
import { INIT_NAMES, OPTIMIZER_NAMES } from '../../stores/recipe.ts';
import type { RunView } from '../../stores/runs.ts';

/** A recipe's values in the person's words, by what they set. */
function facts(recipe: Recipe): Map<string, string> {
  const { init, optimizer } = recipe;
  const { learningRate, kind, ...rest } = optimizer;
  const start = init.kind === 'text' ? `${INIT_NAMES.text} “${init.text}”` : INIT_NAMES[init.kind];
  const range =
    init.kind === 'random' && init.range !== 0.5
      ? ` (${init.range})`
      : 'mostLikely' in init && init.mostLikely !== 5000
        ? ` (of ${init.mostLikely})`
        : '';
  return new Map([
    ['start', `start: ${start}${range}`],
    ['length', `length ${recipe.promptLength}`],
    ['optimizer', OPTIMIZER_NAMES[kind]],
    ['rate', `rate ${learningRate}`],
    [
      'optimizer settings',
      Object.entries(rest)
        .map(([key, value]) => `${key} ${value}`)
        .join(' '),
    ],
    ['loss', recipe.loss === 'vocabulary' ? 'loss over the vocabulary' : 'loss over the labels'],
    ['batch', `batch ${recipe.batchSize}`],
    ['steps', `${recipe.steps} steps`],
    ['dev', `dev every ${recipe.evalEvery}`],
    ['patience', recipe.patience ? `patience ${recipe.patience}` : 'no early stop'],
    ['clip', recipe.clipNorm ? `clip ${recipe.clipNorm}` : 'no clipping'],
    ['seed', `seed ${recipe.seed}`],
  ]);
}

/**
 * What each run has that not all have, by run id: "start: random numbers, length 5". A single run is held against the
 * default recipe.
 */
export function runDifferences(runs: readonly RunView[]): Map<string, string> {
  const all = runs.map((run) => {
    const own = facts(run.recipe);
    own.set('model', run.modelTitle);
    own.set('data', run.dataName);
    return { id: run.id, own };
  });
  const yardstick = all.length === 1 ? [facts(defaultRecipe)] : [];
  const compared = [...all.map((run) => run.own), ...yardstick];
  const differing = ['model', 'data', ...facts(defaultRecipe).keys()].filter((key) => {
    const values = compared.map((own) => own.get(key)).filter((value) => value !== undefined);
    return new Set(values).size > 1;
  });
  return new Map(
    all.map(({ id, own }) => [
      id,
      differing.map((key) => own.get(key)!).join(', ') ||
        (all.length === 1 ? 'the default recipe' : 'nothing'),
    ]),
  );
}
