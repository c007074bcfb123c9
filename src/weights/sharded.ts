import { badWeights } from './problem.ts';
import { openPytorch } from './pytorch.ts';
import { openSafetensors } from './safetensors.ts';
import type { ByteSource } from './source.ts';
import { readPart, type TensorInfo, type WeightFile } from './types.ts';

/** The largest published models are in some 200 files. */
const MOST_SHARDS = 1000;

/**
 * Opens weights that are divided over several safetensors or PyTorch files, by the parsed `model.safetensors.index.json`
 * or `pytorch_model.bin.index.json`. Tensors of the files that the index does not name are left out, as the reference
 * implementation does.
 * @param open gives a file of the folder by the name that the index uses, undefined when it is not there
 * @throws PreludeError 'bad-weights' naming the shard or tensor that is missing
 */
export async function openSharded(
  index: unknown,
  name: string,
  open: (file: string) => ByteSource | undefined | Promise<ByteSource | undefined>,
): Promise<WeightFile> {
  const map = weightMap(index, name);
  const files = [...new Set(map.values())].sort();
  if (files.length === 0) throw badWeights(name, 'it names no tensors.');
  if (files.length > MOST_SHARDS)
    throw badWeights(name, `it names ${files.length} files; no real model has more than ${MOST_SHARDS}.`);
  const shards = new Map<string, WeightFile>();
  for (const file of files) {
    const source = await open(file);
    if (!source)
      throw badWeights(
        name,
        `it names the file "${file}", which is not there.`,
        'Choose all files of the model folder.',
      );
    shards.set(file, await (isPytorch(file) ? openPytorch(source) : openSafetensors(source)));
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [tensor, file] of map) {
    const info = shards.get(file)?.tensors.get(tensor);
    if (!info)
      throw badWeights(`${file}, tensor "${tensor}"`, `${name} says it is in this file, but it is not.`);
    tensors.set(tensor, info);
  }
  const shardOf = (tensor: string): WeightFile => {
    const shard = shards.get(map.get(tensor) ?? '');
    if (!shard)
      throw badWeights(name, `it has no tensor "${tensor}".`, 'Check that the files belong to this model.');
    return shard;
  };
  const first = [...shards.values()][0];
  return {
    format: first?.format ?? 'safetensors',
    name,
    tensors,
    metadata: first?.metadata ?? {},
    read: async (tensor) => shardOf(tensor).read(tensor),
    readPart: async (tensor, offset, length) => readPart(shardOf(tensor), tensor, offset, length),
  };
}

/** Whether a file of weights is named as PyTorch's are: `.bin` of a model folder, `.pt` and `.pth` of training. */
export function isPytorch(file: string): boolean {
  return /\.(bin|pth?)$/.test(file);
}

function weightMap(index: unknown, name: string): Map<string, string> {
  const map =
    typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : undefined;
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw badWeights(name, 'it has no "weight_map", so it is no index of a sharded model.');
  const entries = Object.entries(map);
  // A name with a path could reach outside of the model's folder.
  for (const [tensor, file] of entries)
    if (typeof file !== 'string' || !/\.(safetensors|bin)$/.test(file) || /[/\\]/.test(file))
      throw badWeights(
        `${name}, tensor "${tensor}"`,
        `its file is ${JSON.stringify(file)}, which is no .safetensors or .bin file's name.`,
      );
  return new Map(entries as [string, string][]);
}
