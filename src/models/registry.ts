import { PreludeError } from '../errors.ts';
import type { WeightFile } from '../weights/index.ts';
import { checkpointOf } from './load.ts';
import type { Seq2SeqModel } from './model.ts';
import { isT5, makeT5 } from './t5.ts';

/** One line a family. */
const FAMILIES = [{ name: 'T5', matches: isT5, make: makeT5 }];

/** Names of the architectures that open. */
export const knownFamilies: readonly string[] = FAMILIES.map((family) => family.name);

/**
 * The model of a published config and its weights, by the family that knows it.
 * @throws PreludeError `unsupported-model` naming an architecture that none knows; `bad-config`, `bad-weights` of the family.
 */
export function makeModel(config: unknown, weights: WeightFile): Seq2SeqModel {
  const family = FAMILIES.find((f) => f.matches(config));
  if (!family) {
    const type = (config as { model_type?: unknown } | null)?.model_type;
    throw new PreludeError(
      'unsupported-model',
      `config.json: model_type ${JSON.stringify(type)} is not known here.`,
      {
        where: 'config.json',
        remedy: `Known are ${knownFamilies.join(', ')}.`,
      },
    );
  }
  return family.make(config, checkpointOf(weights));
}
