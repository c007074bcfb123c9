import { adafactor, adamw, type Dims, type OptimizerRule, sgd } from '../kernels/index.ts';
import type { OptimizerSettings } from './recipe.ts';

/** t5x's `min_dim_size_to_factor`: a prompt of fewer rows keeps its second moments whole. */
const MIN_FACTORED = 128;

/** The optimiser a recipe names, for a prompt [P, d]. */
export function optimizerRule(settings: OptimizerSettings, length: number, width: number): OptimizerRule {
  switch (settings.kind) {
    case 'adafactor':
      return adafactor({
        factored:
          settings.factored === 'auto'
            ? Math.min(length, width) >= MIN_FACTORED
            : settings.factored === 'always',
        decayTimesRate: settings.decayTimesRate,
      });
    case 'adamw':
      return adamw;
    case 'sgd':
      return sgd;
  }
}

/** Its numbers, by the names its kernels read. */
export function optimizerScalars(settings: OptimizerSettings): Dims {
  const scalars: Record<string, number> = {};
  for (const [name, value] of Object.entries(settings)) if (typeof value === 'number') scalars[name] = value;
  return scalars;
}
