import * as v from 'valibot';
import { PreludeError } from '../errors.ts';

/**
 * A recipe: everything that decides a run besides model and data. Plain data: it goes into URLs, downloads and checkpoints.
 * Defaults are those of Lester, Al-Rfou, Constant 2021 (section 3 and appendix B) but for length and steps, which are
 * chosen for a workshop's quarter of an hour.
 */
export const recipeSchema = v.object({
  /** P: number of virtual tokens, 1 to 150. */
  promptLength: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(150)),
  init: v.variant('kind', [
    /** Each entry uniform in [-range, range]; the paper's 0.5. */
    v.object({ kind: v.literal('random'), range: v.pipe(v.number(), v.gtValue(0), v.maxValue(100)) }),
    /** Rows of the frozen embedding, drawn from the `mostLikely` most frequent tokens without replacement. */
    v.object({ kind: v.literal('vocabulary'), mostLikely: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    /** The class labels' embeddings (mean over a label's tokens), the rest filled as `vocabulary`. */
    v.object({ kind: v.literal('labels'), mostLikely: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    /** A written prompt's embeddings, repeated or cut to P rows. */
    v.object({ kind: v.literal('text'), text: v.pipe(v.string(), v.minLength(1)) }),
  ]),
  optimizer: v.variant('kind', [
    v.object({
      kind: v.literal('adafactor'),
      learningRate: v.pipe(v.number(), v.gtValue(0)),
      weightDecay: v.pipe(v.number(), v.minValue(0)),
      /** beta2 at step t is 1 - t^-decayRate. */
      decayRate: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
      clipThreshold: v.pipe(v.number(), v.gtValue(0)),
      /**
       * Second moments kept whole, or as row and column means. t5x factors only when both dimensions are at least 128, so a
       * prompt of fewer rows is not factored: that is `auto`.
       */
      factored: v.picklist(['auto', 'never', 'always']),
      /** Weight decay times the learning rate, as transformers does; t5x and optax subtract it as it is. */
      decayTimesRate: v.boolean(),
    }),
    v.object({
      kind: v.literal('adamw'),
      learningRate: v.pipe(v.number(), v.gtValue(0)),
      weightDecay: v.pipe(v.number(), v.minValue(0)),
      beta1: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
      beta2: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
      epsilon: v.pipe(v.number(), v.gtValue(0)),
    }),
    v.object({
      kind: v.literal('sgd'),
      learningRate: v.pipe(v.number(), v.gtValue(0)),
      momentum: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
    }),
  ]),
  /** Cross-entropy of the target over the whole vocabulary (the paper), or over the verbalizers' scores only. */
  loss: v.picklist(['vocabulary', 'verbalizers']),
  batchSize: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024)),
  /** Examples on the GPU at once; the gradient of a batch is gathered over several. 0: as many as fit. */
  microBatch: v.pipe(v.number(), v.integer(), v.minValue(0)),
  steps: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
  /** Dev set every this many steps. */
  evalEvery: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Stop after this many evaluations without a better dev accuracy; 0: never. */
  patience: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** The gradient's norm is cut to this; 0: never. */
  clipNorm: v.pipe(v.number(), v.minValue(0)),
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

export type Recipe = v.InferOutput<typeof recipeSchema>;
export type OptimizerSettings = Recipe['optimizer'];
export type InitSettings = Recipe['init'];

export const adafactorDefaults = {
  kind: 'adafactor',
  learningRate: 0.3,
  weightDecay: 1e-5,
  decayRate: 0.8,
  clipThreshold: 1,
  factored: 'auto',
  decayTimesRate: false,
} as const satisfies OptimizerSettings;

export const adamwDefaults = {
  kind: 'adamw',
  learningRate: 0.05,
  weightDecay: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
} as const satisfies OptimizerSettings;

export const sgdDefaults = {
  kind: 'sgd',
  learningRate: 2,
  momentum: 0.9,
} as const satisfies OptimizerSettings;

/** The paper's recipe at a workshop's length. `paperRecipe` has the paper's own length and steps. */
export const defaultRecipe: Recipe = {
  promptLength: 20,
  init: { kind: 'vocabulary', mostLikely: 5000 },
  optimizer: adafactorDefaults,
  loss: 'verbalizers',
  batchSize: 32,
  microBatch: 0,
  steps: 300,
  evalEvery: 25,
  patience: 0,
  clipNorm: 0,
  seed: 7,
};

/** Lester et al. 2021, table 4's defaults: P = 100, class-label start, 30,000 steps, loss over the vocabulary. */
export const paperRecipe: Recipe = {
  ...defaultRecipe,
  promptLength: 100,
  init: { kind: 'labels', mostLikely: 5000 },
  loss: 'vocabulary',
  steps: 30_000,
  evalEvery: 500,
};

/** Checks a recipe from outside (a URL, a file). @throws PreludeError `bad-recipe` naming the first value that is off. */
export function parseRecipe(value: unknown): Recipe {
  const result = v.safeParse(recipeSchema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new PreludeError('bad-recipe', `Recipe: ${v.getDotPath(issue) ?? 'value'}: ${issue.message}`, {
    remedy: 'Set this value again, or press "paper\'s values".',
  });
}
