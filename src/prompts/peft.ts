import { PreludeError } from '../errors.ts';
import { bytesSource, openSafetensors, toFloat32, writeSafetensors } from '../weights/index.ts';
import { isEncoderDecoder, predictScript, runCard } from './card.ts';
import { exportJson, isRecord, parseJson, readJson } from './json.ts';
import type { ImportedPrompt, ModelHint, NamedBytes, SoftPrompt } from './types.ts';
import { badPrompt, checkValues, cleanName, floatsToBytes, maxPromptBytes, nameOfFile } from './values.ts';
import { writeZip } from './zip.ts';

const tensorName = 'prompt_embeddings';

/** The files of a PEFT adapter folder, as `save_pretrained` of PEFT 0.21 names them, `predict.py`, and `prelude.json`. */
export function adapterFiles(prompt: SoftPrompt): NamedBytes[] {
  checkValues(prompt.name, prompt);
  const { model } = prompt;
  const config = {
    auto_mapping: null,
    base_model_name_or_path: model.name,
    inference_mode: true,
    modules_to_save: null,
    num_attention_heads: model.numHeads,
    num_layers: model.numLayers,
    // PEFT's default for encoder-decoders is 2: it then saves 2P rows, of which P never learn.
    num_transformer_submodules: 1,
    num_virtual_tokens: prompt.length,
    peft_type: 'PROMPT_TUNING',
    peft_version: '0.21.2',
    // How PEFT fills the rows before it loads ours over them; TEXT would need a tokenizer there.
    prompt_tuning_init: 'RANDOM',
    prompt_tuning_init_text: null,
    revision: null,
    task_type: isEncoderDecoder(model.family) ? 'SEQ_2_SEQ_LM' : 'CAUSAL_LM',
    token_dim: prompt.width,
    tokenizer_kwargs: null,
    tokenizer_name_or_path: null,
  };
  const tensor = {
    name: tensorName,
    dtype: 'F32',
    shape: [prompt.length, prompt.width],
    data: floatsToBytes(prompt.values),
  } as const;
  const encode = (text: string) => new TextEncoder().encode(text);
  return [
    { name: 'adapter_config.json', bytes: encode(`${JSON.stringify(config, null, 2)}\n`) },
    { name: 'adapter_model.safetensors', bytes: writeSafetensors([tensor], { format: 'pt' }) },
    { name: 'README.md', bytes: encode(runCard(prompt)) },
    { name: 'prelude.json', bytes: encode(exportJson(prompt)) },
    { name: 'predict.py', bytes: encode(predictScript(prompt, 'peft')) },
  ];
}

/**
 * A prompt as a zip of a PEFT adapter folder: unpacked, `PeftModel.from_pretrained(model, folder)` loads it. The same
 * prompt gives the same bytes.
 * @throws PreludeError `bad-prompt` when values are missing or not finite
 */
export function exportPeft(prompt: SoftPrompt): Uint8Array<ArrayBuffer> {
  return writeZip(adapterFiles(prompt));
}

/** An adapter's files, however they came. */
export interface AdapterParts {
  /** For messages and as a name where nothing better is known. */
  file: string;
  weights: NamedBytes;
  config?: NamedBytes | undefined;
  /** `prelude.json`, where Prelude wrote the adapter. */
  prelude?: NamedBytes | undefined;
}

/**
 * Reads a PEFT prompt tuning adapter, or the saved output of P-tuning, which is the same thing.
 * @throws PreludeError `bad-prompt`
 */
export async function readAdapter(parts: AdapterParts): Promise<ImportedPrompt> {
  const config = parts.config ? readConfig(parts.config) : undefined;
  const { rows, width, values: all, notes } = await readRows(parts.weights, config?.peftType);
  if (config && config.width !== undefined && config.width !== width)
    throw badPrompt(
      parts.file,
      `adapter_config.json says token_dim ${config.width}, the tensor is ${width} wide.`,
      'The two files belong to different adapters: choose a matching pair.',
    );
  const length = config ? takenRows(parts.file, config, rows, notes) : rows;
  if (!config)
    notes.push(
      `Without adapter_config.json: all ${rows} rows taken. If PEFT's defaults for T5 wrote this file, only the first half has learned.`,
    );
  const values = all.slice(0, length * width);
  checkValues(parts.weights.name, { length, width, values });
  const read: ImportedPrompt = {
    source: config ? 'peft' : 'safetensors',
    name: nameOfFile(parts.file),
    length,
    width,
    values,
    model: config?.model ?? {},
    notes: [...notes, ...(config?.notes ?? [])],
    unknown: ['model', 'task', 'recipe', 'metrics'],
  };
  if (config?.model.name) read.unknown = ['task', 'recipe', 'metrics'];
  return parts.prelude ? withPrelude(read, parts.prelude) : read;
}

/** Adds what `prelude.json` knows, as long as it speaks of the very same rows. */
function withPrelude(read: ImportedPrompt, prelude: NamedBytes): ImportedPrompt {
  const known = readJson(prelude.name, prelude.bytes);
  const same =
    known.length === read.length &&
    known.width === read.width &&
    known.values.every((x, i) => Object.is(x, read.values[i]));
  if (!same)
    return {
      ...read,
      notes: [
        ...read.notes,
        'prelude.json beside the adapter describes other values (was it trained on?): it was left out.',
      ],
    };
  return { ...read, ...known, notes: read.notes, unknown: unknownOf(known) };
}

/** Which optional parts a prompt lacks. */
export function unknownOf(prompt: {
  task?: unknown;
  recipe?: unknown;
  metrics?: unknown;
}): ImportedPrompt['unknown'] {
  return (['task', 'recipe', 'metrics'] as const).filter((part) => prompt[part] === undefined);
}

interface AdapterConfig {
  peftType: string;
  /** num_virtual_tokens */
  tokens: number;
  /** num_transformer_submodules; undefined when null or missing. */
  submodules: number | undefined;
  encoderDecoder: boolean | undefined;
  width: number | undefined;
  model: ModelHint;
  notes: string[];
}

const otherTypes: Record<string, string> = {
  LORA: 'LoRA, which changes the weights of the model',
  ADALORA: 'AdaLoRA, which changes the weights of the model',
  IA3: 'IA3, which scales activations inside the model',
  PREFIX_TUNING: 'prefix tuning, which adds keys and values in every layer',
  MULTITASK_PROMPT_TUNING: 'multitask prompt tuning, which combines one prompt with a matrix a task',
  ADAPTION_PROMPT: 'LLaMA-Adapter, which adds gated prompts inside the layers',
  CPT: 'context-aware prompt tuning, which keeps part of its prompt as tokens',
};

function readConfig(file: NamedBytes): AdapterConfig {
  const config = parseJson(file.name, file.bytes);
  const anew = 'Save the adapter again with PEFT, or choose the folder of a prompt tuning adapter.';
  if (!isRecord(config) || typeof config.peft_type !== 'string')
    throw badPrompt(file.name, 'The adapter configuration names no "peft_type".', anew);
  const peftType = config.peft_type.slice(0, 40);
  if (peftType !== 'PROMPT_TUNING' && peftType !== 'P_TUNING')
    throw badPrompt(
      file.name,
      `The adapter's type is ${peftType}${Object.hasOwn(otherTypes, peftType) ? ` (${otherTypes[peftType]})` : ''}; a soft prompt is PROMPT_TUNING or P_TUNING.`,
      'Train it as prompt tuning, or use it in Python with PEFT.',
    );
  const whole = (key: string): number | undefined => {
    const value = config[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
    throw badPrompt(file.name, `"${key}" should be a whole number from 1 up.`, anew);
  };
  const tokens = whole('num_virtual_tokens');
  if (tokens === undefined) throw badPrompt(file.name, '"num_virtual_tokens" is missing.', anew);
  const task = config.task_type ?? undefined;
  if (task !== undefined && task !== 'SEQ_2_SEQ_LM' && task !== 'CAUSAL_LM')
    throw badPrompt(
      file.name,
      `The adapter's task is ${JSON.stringify(task).slice(0, 40)}, which answers through a trained head; Prelude reads answers as words.`,
      'Train it with task_type SEQ_2_SEQ_LM or CAUSAL_LM.',
    );
  if (Array.isArray(config.modules_to_save) && config.modules_to_save.length > 0)
    throw badPrompt(
      file.name,
      'The adapter replaces modules of the model ("modules_to_save"): a soft prompt leaves the model as it is.',
      'Train it without modules_to_save.',
    );
  const base = config.base_model_name_or_path;
  const encoderDecoder = task === undefined ? undefined : task === 'SEQ_2_SEQ_LM';
  return {
    peftType,
    tokens,
    submodules: whole('num_transformer_submodules'),
    encoderDecoder,
    width: whole('token_dim'),
    model: {
      ...(typeof base === 'string' && base.trim() !== '' ? { name: cleanName(base) } : {}),
      ...(encoderDecoder === undefined ? {} : { encoderDecoder }),
    },
    notes:
      peftType === 'P_TUNING'
        ? ['Learned by P-tuning: its encoder was already applied when it was saved.']
        : [],
  };
}

async function readRows(
  file: NamedBytes,
  peftType: string | undefined,
): Promise<{ rows: number; width: number; values: Float32Array; notes: string[] }> {
  try {
    const weights = await openSafetensors(bytesSource(file.bytes, file.name));
    const info = weights.tensors.get(tensorName);
    if (!info) {
      const names = [...weights.tensors.keys()];
      const lora = names.some((name) => name.includes('lora_'));
      throw badPrompt(
        file.name,
        `The file has no tensor "${tensorName}" but ${names.length} others${names[0] ? `, such as "${names[0].slice(0, 80)}"` : ''}${lora ? ': this is a LoRA adapter' : ''}.`,
        'Choose the adapter_model.safetensors of a prompt tuning adapter.',
      );
    }
    const [rows, width] = info.shape;
    if (info.shape.length !== 2 || !rows || !width)
      throw badPrompt(
        file.name,
        `"${tensorName}" has shape [${info.shape.join(', ')}]; a prompt has two axes: virtual tokens and width.`,
        'Save the prompt as a [P, d] tensor.',
      );
    if (rows * width * 4 > maxPromptBytes)
      throw badPrompt(
        file.name,
        `"${tensorName}" has shape [${rows}, ${width}], larger than any soft prompt.`,
        'Pick the adapter, not the model.',
      );
    const others = weights.tensors.size - 1;
    if (others > 0 && peftType !== 'P_TUNING')
      throw badPrompt(
        file.name,
        `Beside "${tensorName}" the file has ${others} other tensors, which a soft prompt has not.`,
        'Choose the adapter_model.safetensors of a prompt tuning adapter.',
      );
    const values = toFloat32(await weights.read(tensorName), info.dtype);
    const notes = info.dtype === 'F32' ? [] : [`Converted from ${info.dtype} to float32.`];
    return { rows, width, values, notes };
  } catch (error) {
    if (error instanceof PreludeError && error.code === 'bad-weights')
      throw new PreludeError('bad-prompt', error.message, {
        remedy: error.remedy,
        where: error.where ?? file.name,
        cause: error,
      });
    throw error;
  }
}

/** How many rows, from the first, are the prompt; says so in `notes` where that is not all of them. */
function takenRows(file: string, config: AdapterConfig, rows: number, notes: string[]): number {
  const { tokens, submodules, encoderDecoder } = config;
  if (rows === tokens) return rows;
  const stated = submodules ?? (encoderDecoder === false ? 1 : 2);
  if (stated > 1 && rows === tokens * stated) {
    notes.push(
      `The file has ${rows} rows for ${tokens} virtual tokens (PEFT's num_transformer_submodules is ${submodules ?? 'not given, so 2'}): the first ${tokens} were taken, as PEFT does; the others never learn.`,
    );
    return tokens;
  }
  throw badPrompt(
    file,
    `adapter_config.json says ${tokens} virtual tokens${stated > 1 ? ` (times ${stated})` : ''}, the tensor has ${rows} rows.`,
    'The two files belong to different adapters: choose a matching pair.',
  );
}
