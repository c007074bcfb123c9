import { PreludeError } from '../errors.ts';
import { ggufTokenizer } from '../text/index.ts';
import {
  type ByteSource,
  fingerprintOf,
  type LoadedModel,
  openGguf,
  readPart,
  type TensorInfo,
  type WeightFile,
} from '../weights/index.ts';
import { ARCHITECTURES, type Architecture, PAIRS, type RowOrder, SHARED_KEYS } from './ggufArchitectures.ts';

/**
 * A GGUF file as a model folder would publish it: the config that its metadata say, and its tensors under the names and in the row
 * order of Hugging Face, still quantised as they are stored.
 * @throws PreludeError `unsupported-model` for another architecture or a tensor, a key or a rotary scaling that is not known
 */
export function fromGguf(file: WeightFile): { config: Record<string, unknown>; weights: WeightFile } {
  const name = String(file.metadata['general.architecture']);
  const architecture = ARCHITECTURES[name];
  const refuse = (message: string) =>
    new PreludeError('unsupported-model', `${file.name}: ${message}`, {
      where: file.name,
      remedy: `GGUF files of these architectures open: ${Object.keys(ARCHITECTURES).join(', ')}.`,
    });
  if (Number(file.metadata['split.count'] ?? 1) > 1)
    throw new PreludeError(
      'unsupported-model',
      `${file.name}: it is one of ${file.metadata['split.count']} parts of a model.`,
      {
        where: file.name,
        remedy: 'Use the model in one GGUF file: llama-gguf-split --merge puts the parts together.',
      },
    );
  if (!architecture) throw refuse(`architecture "${name}" is not known here.`);
  const key = (path: string) => file.metadata[`${name}.${path}`];
  const number = (path: string, otherwise?: number): number => {
    const value = key(path) ?? otherwise;
    if (typeof value !== 'number') throw refuse(`its metadata have no number ${name}.${path}.`);
    return value;
  };
  const flag = (path: string): boolean => {
    const value = key(path);
    if (typeof value !== 'boolean') throw refuse(`its metadata have no truth value ${name}.${path}.`);
    return value;
  };
  const scaling = key('rope.scaling.type') ?? 'none';
  const has = (tensor: string) => file.tensors.has(tensor);
  // Phi-3's conversion says it by its tensors.
  const known =
    scaling === 'longrope' ? has('rope_factors_short.weight') : scaling === 'none' || scaling === 'linear';
  if (!known) throw refuse(`rotary scaling "${String(scaling)}" is not known here.`);
  if (Number(key('expert_count') ?? 0) > 0) throw refuse('models of several experts are not known here.');

  const unknown = Object.keys(file.metadata).find(
    (path) =>
      path.startsWith(`${name}.`) &&
      !SHARED_KEYS.has(path.slice(name.length + 1)) &&
      !architecture.keys.includes(path.slice(name.length + 1)),
  );
  if (unknown)
    throw refuse(`the key "${unknown}" is not known here, and it may change what the model computes.`);

  const heads = number('attention.head_count');
  const width = number('embedding_length');
  const headDim = number('attention.key_length', width / heads);
  const valueDim = number('attention.value_length', headDim);
  if (valueDim !== headDim)
    throw refuse(`keys of ${headDim} columns with values of ${valueDim} are not known here.`);
  const vocabSize = file.tensors.get('token_embd.weight')?.shape[0] ?? number('vocab_size');
  const config = {
    ...(scaling === 'linear' && {
      rope_scaling: { rope_type: 'linear', factor: number('rope.scaling.factor') },
    }),
    bos_token_id: file.metadata['tokenizer.ggml.bos_token_id'] ?? null,
    eos_token_id: file.metadata['tokenizer.ggml.eos_token_id'] ?? null,
    pad_token_id: file.metadata['tokenizer.ggml.padding_token_id'] ?? null,
    ...architecture.config({ number, flag, has, vocabSize, heads, headDim }),
  };

  const stored = new Map<string, string>();
  const tensors = new Map<string, TensorInfo>();
  for (const info of file.tensors.values()) {
    const published = publishedName(info.name, architecture);
    if (!published)
      throw refuse(`tensor "${info.name}" is not known here, and it may change what the model computes.`);
    if (stored.has(published)) throw refuse(`tensors "${stored.get(published)}" and "${info.name}" are one.`);
    stored.set(published, info.name);
    tensors.set(published, { ...info, name: published });
  }
  const orderOf = (published: string) =>
    architecture.rowOrder?.of.test(published) ? architecture.rowOrder : undefined;
  const isWhole = (published: string) => architecture.wholeNorms && /norm\.weight$/.test(published);
  const part = async (published: string, offset: number, length: number) => {
    const info = tensors.get(published);
    const own = stored.get(published) ?? published;
    const order = orderOf(published);
    if (info && order) return readOrdered(file, own, info, order, headDim, offset, length);
    if (info && isWhole(published))
      return minusOne(await file.read(own), info).subarray(offset, offset + length);
    return readPart(file, own, offset, length);
  };
  return {
    config,
    weights: {
      format: 'gguf',
      name: file.name,
      metadata: file.metadata,
      tensors,
      read: async (published) => {
        const whole = orderOf(published) || isWhole(published);
        if (whole) return part(published, 0, tensors.get(published)?.byteLength ?? 0);
        return file.read(stored.get(published) ?? published);
      },
      readPart: part,
    },
  };
}

/**
 * A GGUF file opened as `loadModelSources` opens a model folder.
 * @throws PreludeError as `openGguf`, `fromGguf` and `ggufTokenizer` do
 */
export async function loadGguf(source: ByteSource): Promise<LoadedModel> {
  const file = await openGguf(source);
  const { config, weights } = fromGguf(file);
  return {
    name: source.name,
    config,
    generationConfig: undefined,
    ...ggufTokenizer(file.metadata),
    weights,
    fingerprint: await fingerprintOf(weights),
  };
}

function publishedName(stored: string, { layers, names }: Architecture): string | undefined {
  const match = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(stored);
  const name = match && Object.hasOwn(names, match[2]!) && names[match[2]!];
  if (!match || !name) return undefined;
  return `${match[1] === undefined ? '' : `${layers}.${match[1]}.`}${name}.${match[3]}`;
}

/** Norms are stored in f32. */
function minusOne(bytes: Uint8Array, { name, dtype }: TensorInfo): Uint8Array {
  if (dtype !== 'F32')
    throw new PreludeError(
      'unsupported-model',
      `${name} is stored as ${dtype}; norms are F32 in GGUF files.`,
      {
        where: name,
        remedy: 'Use another GGUF file of the model.',
      },
    );
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  return new Uint8Array(values.map((value) => value - 1).buffer);
}

/**
 * Bytes `offset` to `offset + length` of a tensor in the published order of its rows, read by whole groups of `size` rows. A row is
 * any number of bytes: blocks stay blocks.
 */
async function readOrdered(
  file: WeightFile,
  stored: string,
  { name, byteLength, shape }: TensorInfo,
  order: RowOrder,
  size: number,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const groups = (shape[0] ?? 0) / size;
  if (
    !Number.isInteger(groups) ||
    groups < 1 ||
    !Number.isInteger(size) ||
    (order === PAIRS && size % 2 !== 0)
  )
    throw new PreludeError('bad-weights', `${name}: ${shape[0]} rows are no heads of ${size}.`, {
      where: name,
      remedy: 'Get the file again from where the model was published.',
    });
  const bytes = byteLength / groups;
  const width = bytes / size;
  const first = Math.floor(offset / bytes);
  const last = Math.min(groups, Math.ceil((offset + length) / bytes));
  const ordered = new Uint8Array(Math.max(0, last - first) * bytes);
  // Where groups stay, those that are asked for lie side by side.
  const run = order.group ? 1 : last - first;
  for (let group = first; group < last; group += run) {
    const from = order.group ? order.group(group, groups) : group;
    const read = await readPart(file, stored, from * bytes, run * bytes);
    for (let row = 0; row < run * size; row++) {
      const within = row % size;
      const source = (row - within + order.row(within, size)) * width;
      ordered.set(read.subarray(source, source + width), (group - first) * bytes + row * width);
    }
  }
  return ordered.subarray(offset - first * bytes, offset - first * bytes + length);
}
