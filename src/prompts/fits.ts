import { PreludeError } from '../errors.ts';
import { isEncoderDecoder } from './card.ts';
import type { ImportedPrompt, ModelHint, PromptModel, SoftPrompt } from './types.ts';

/** Something to say beside a prompt that may be used all the same. */
export interface FitWarning {
  kind: 'other-model' | 'unknown-model';
  message: string;
}

/**
 * Whether a prompt may go before a model's input. Width decides: vectors of another width cannot be used at all. Vectors of
 * the right width from another model can, but mean nothing there, which is worth a warning.
 * @returns warnings, none when the prompt was learned on this very model
 * @throws PreludeError `prompt-mismatch` for another width or another family
 */
export function checkFits(
  prompt: { name: string; width: number; model: ModelHint },
  model: Pick<PromptModel, 'name' | 'fingerprint' | 'width' | 'family'>,
): FitWarning[] {
  const from = prompt.model;
  const learnedOn = from.name ? `"${from.name}"` : 'a model it does not name';
  if (prompt.width !== model.width)
    throw new PreludeError(
      'prompt-mismatch',
      `"${prompt.name}" is ${prompt.width} wide and was learned on ${learnedOn}; "${model.name}" is ${model.width} wide.`,
      {
        where: prompt.name,
        remedy: from.name
          ? `Load ${learnedOn}, then upload the prompt again.`
          : `Load the model it was learned on (width ${prompt.width}), then upload the prompt again.`,
      },
    );
  const families = otherFamily(from, model.family);
  if (families)
    throw new PreludeError(
      'prompt-mismatch',
      `"${prompt.name}" was learned on ${learnedOn} (${families}); "${model.name}" is of the family ${model.family}.`,
      { where: prompt.name, remedy: `Load ${learnedOn}, then upload the prompt again.` },
    );
  if (from.fingerprint === model.fingerprint) return [];
  if (from.fingerprint)
    return [
      {
        kind: 'other-model',
        message:
          from.name === model.name
            ? `Learned on another edition of "${model.name}" (${short(from.fingerprint)}, here ${short(model.fingerprint)}): answers may differ.`
            : `Learned on ${learnedOn}, not on "${model.name}": it fits by width, but its answers may mean nothing here.`,
      },
    ];
  return [
    {
      kind: 'unknown-model',
      message: `The file ${from.name ? `names ${learnedOn} but no fingerprint` : 'does not say on which model it was learned'}: it fits "${model.name}" by width; whether it was learned there cannot be checked.`,
    },
  ];
}

/** How the prompt's model differs in kind, or undefined where it does not or is not known. */
function otherFamily(from: ModelHint, family: string): string | undefined {
  if (from.family !== undefined) return from.family === family ? undefined : from.family;
  if (from.encoderDecoder === undefined || from.encoderDecoder === isEncoderDecoder(family)) return undefined;
  return from.encoderDecoder ? 'an encoder-decoder' : 'a decoder alone';
}

function short(fingerprint: string): string {
  return fingerprint.slice(0, 12);
}

/**
 * A prompt read from a file as one that can be kept: what the file does not know is taken from the model that `checkFits`
 * found fitting. `now` is ISO 8601.
 */
export function adoptPrompt(imported: ImportedPrompt, model: PromptModel, now: string): SoftPrompt {
  const { name, length, width, values, recipe, task, metrics } = imported;
  const { encoderDecoder: _, ...known } = imported.model;
  return {
    name,
    length,
    width,
    values,
    // Without a fingerprint of its own it must not claim to have been learned on these very weights.
    model: { ...model, fingerprint: '', ...known, width },
    recipe,
    task,
    metrics,
    createdAt: imported.createdAt ?? now,
    step: imported.step ?? 0,
  };
}
