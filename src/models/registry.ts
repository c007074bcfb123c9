import { PreludeError } from '../errors.ts';
import type { WeightFile } from '../weights/index.ts';
import { modelType } from './config.ts';
import type { Checkpoint } from './frozen.ts';
import { isGemma, makeGemma } from './gemma.ts';
import { isGptNeox, makeGptNeox } from './gpt_neox.ts';
import { isGpt2, makeGpt2 } from './gpt2.ts';
import { isLlama, makeLlama } from './llama.ts';
import type { FrozenModel } from './model.ts';
import { isOpt, makeOpt } from './opt.ts';
import type { Precision } from './precision.ts';
import { isT5, makeT5 } from './t5.ts';

interface Family {
  name: string;
  matches(config: unknown): boolean;
  make(config: unknown, checkpoint: Checkpoint): FrozenModel;
}

/** One line a family. */
const FAMILIES: Family[] = [
  { name: 'T5', matches: isT5, make: makeT5 },
  { name: 'Llama, Mistral, Qwen2, Qwen3, OLMo 2, Phi-3', matches: isLlama, make: makeLlama },
  { name: 'Gemma 2, Gemma 3 (text)', matches: isGemma, make: makeGemma },
  { name: 'GPT-2', matches: isGpt2, make: makeGpt2 },
  { name: 'GPT-NeoX, Pythia', matches: isGptNeox, make: makeGptNeox },
  { name: 'OPT', matches: isOpt, make: makeOpt },
];

/** Names of the architectures that open. */
const knownFamilies: readonly string[] = FAMILIES.map((family) => family.name);

export interface ModelOptions {
  /** Default `stored`. */
  precision?: Precision;
  /** Bytes that one buffer of the device may have; a larger matrix is cut into pieces. Default: any number. */
  bindingBytes?: number;
}

/**
 * The model of a published config and its weights, by the family that knows it.
 * @throws PreludeError `unsupported-model` naming an architecture that none knows; `bad-config`, `bad-weights` of the family.
 */
export function makeModel(
  config: unknown,
  { tensors }: Pick<WeightFile, 'tensors'>,
  { precision = 'stored', bindingBytes = Number.POSITIVE_INFINITY }: ModelOptions = {},
): FrozenModel {
  const family = FAMILIES.find((f) => f.matches(config));
  if (!family)
    throw new PreludeError(
      'unsupported-model',
      `config.json: model_type ${JSON.stringify(modelType(config))} is not known here.`,
      {
        where: 'config.json',
        remedy: `Known are ${knownFamilies.join(', ')}.`,
      },
    );
  return family.make(config, {
    get: (name) => tensors.get(name),
    has: (name) => tensors.has(name),
    precision,
    bindingBytes,
  });
}
