import * as v from 'valibot';
import { jsonExcess, toFloat32 } from '../weights/index.ts';
import type { Json, ModelHint, PromptMetrics, PromptTask, SoftPrompt } from './types.ts';
import {
  badPrompt,
  checkValues,
  cleanName,
  floatsToBytes,
  fromBase64,
  maxPromptBytes,
  toBase64,
} from './values.ts';

/** The version of the JSON form that is written; readers refuse others. */
const promptFormat = 'prelude-prompt/1';

const text = v.pipe(v.string(), v.maxLength(10_000));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const taskSchema = v.object({
  template: text,
  writtenPrompt: v.optional(text),
  roles: v.optional(v.object({ text, text2: v.optional(text), label: text })),
  labels: v.pipe(v.array(v.object({ label: text, text })), v.maxLength(10_000)),
  appendEos: v.boolean(),
});
const fileSchema = v.object({
  format: v.literal(promptFormat),
  name: v.string(),
  dtype: v.literal('float32-le'),
  shape: v.strictTuple([v.pipe(count, v.minValue(1)), v.pipe(count, v.minValue(1))]),
  values: v.string(),
  model: v.object({
    name: text,
    fingerprint: text,
    family: text,
    width: count,
    vocabSize: count,
    numLayers: count,
    numHeads: count,
  }),
  recipe: v.optional(v.custom<Json>(() => true)),
  task: v.optional(taskSchema),
  metrics: v.optional(v.record(v.string(), v.pipe(v.number(), v.finite()))),
  createdAt: v.pipe(v.string(), v.isoTimestamp()),
  step: count,
});

/**
 * A prompt as JSON with everything that is known of it. The values are base64 of little-endian float32, [P, d] row-major,
 * so that reading gives them back bit for bit.
 */
export function exportJson(prompt: SoftPrompt): string {
  checkValues(prompt.name, prompt);
  const { name, model, recipe, task, metrics, createdAt, step } = prompt;
  return `${JSON.stringify(
    {
      format: promptFormat,
      name,
      model,
      task,
      recipe,
      metrics,
      createdAt,
      step,
      dtype: 'float32-le',
      shape: [prompt.length, prompt.width],
      values: toBase64(floatsToBytes(prompt.values)),
    },
    null,
    2,
  )}\n`;
}

/** What a JSON file holds: a whole prompt. */
export interface JsonPrompt {
  name: string;
  length: number;
  width: number;
  values: Float32Array;
  model: ModelHint;
  recipe?: Json | undefined;
  task?: PromptTask | undefined;
  metrics?: PromptMetrics | undefined;
  createdAt: string;
  step: number;
}

/**
 * Reads what `exportJson` wrote.
 * @throws PreludeError `bad-prompt`
 */
export function readJson(file: string, bytes: Uint8Array): JsonPrompt {
  const data = parseJson(file, bytes);
  const format = isRecord(data) ? data.format : undefined;
  if (format !== promptFormat) {
    if (isRecord(data) && typeof data.peft_type === 'string')
      throw badPrompt(
        file,
        'This is the configuration of a PEFT adapter, without its numbers.',
        'Choose adapter_config.json and adapter_model.safetensors together, or the zip of their folder.',
      );
    if (typeof format === 'string' && format.startsWith('prelude-prompt/'))
      throw badPrompt(
        file,
        `The format is "${format.slice(0, 40)}"; this Prelude reads "${promptFormat}".`,
        'Reload the page for the newest Prelude, or take the .npy or PEFT form of the prompt.',
      );
    throw badPrompt(
      file,
      `This JSON is no prompt: its "format" is not "${promptFormat}".`,
      'Pick a JSON file that Prelude wrote, a .npy file or a PEFT adapter.',
    );
  }
  const result = v.safeParse(fileSchema, data);
  if (!result.success) {
    const issue = result.issues[0];
    throw badPrompt(
      file,
      `"${v.getDotPath(issue) ?? 'the file'}" is not as it should be: ${issue.message}`,
      'The file was changed or damaged: download the prompt again.',
    );
  }
  const { name, shape, values: encoded, dtype: _, format: __, ...rest } = result.output;
  const [length, width] = shape;
  const wanted = length * width * 4;
  const damaged = 'The file was changed or damaged: download the prompt again.';
  if (!(wanted <= maxPromptBytes))
    throw badPrompt(file, `The shape [${length}, ${width}] is larger than any soft prompt.`, damaged);
  // Compared before anything is decoded: base64 takes 4 characters for 3 bytes.
  if (encoded.length !== Math.ceil(wanted / 3) * 4)
    throw badPrompt(
      file,
      `The shape [${length}, ${width}] takes ${Math.ceil(wanted / 3) * 4} characters of base64; "values" has ${encoded.length}.`,
      damaged,
    );
  let raw: Uint8Array;
  try {
    raw = fromBase64(encoded);
  } catch (cause) {
    throw badPrompt(file, '"values" is not base64.', damaged, cause);
  }
  if (raw.length !== wanted)
    throw badPrompt(file, `"values" holds ${raw.length} bytes, not ${wanted}.`, damaged);
  const values = toFloat32(raw, 'F32');
  checkValues(file, { length, width, values });
  if (rest.model.width !== width)
    throw badPrompt(file, `The prompt is ${width} wide, its model ${rest.model.width}.`, damaged);
  return { name: cleanName(name), length, width, values, ...rest };
}

/** JSON of a file, UTF-8 with or without BOM. @throws PreludeError `bad-prompt` */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  const excess = jsonExcess(bytes);
  if (excess)
    throw badPrompt(file, `This JSON is no prompt: ${excess}.`, 'Pick a JSON file that Prelude wrote.');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badPrompt(
      file,
      `This is no complete JSON${cause instanceof SyntaxError ? ` (${cause.message.slice(0, 120)})` : ''}.`,
      'The file is cut off or damaged: download it again.',
      cause,
    );
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
