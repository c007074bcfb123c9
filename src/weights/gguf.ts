import { GgufCursor, NeedMore } from './gguf-cursor.ts';
import { badWeights } from './problem.ts';
import { tensorReader } from './safetensors.ts';
import type { ByteSource } from './source.ts';
import { byteLengthOf, type DType, type MetadataValue, type TensorInfo, type WeightFile } from './types.ts';

/** ggml's type ids (ggml.h) for what Prelude reads. */
const TYPES: Readonly<Record<number, DType>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  30: 'BF16',
};

/** Names of ggml types that exist but are not read, to name them in the refusal. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The table of contents of real files, tokenizer included, stays far below this. */
const MAX_HEADER_BYTES = 32 * 2 ** 20;
const FIRST_WINDOW = 2 ** 20;
const MAX_DIMENSIONS = 8;
const MAX_ALIGNMENT = 2 ** 20;
/** The largest published models have some 2,000 tensors and 100 pairs. */
const MAX_TENSORS = 2 ** 16;
const MAX_PAIRS = 2 ** 16;

/**
 * Opens a GGUF file, version 2 or 3, little-endian: header, key-value metadata, tensor infos, then the data, each tensor
 * at a multiple of `general.alignment` (32). Shapes are turned round to outermost first. Where and in which order llama.cpp
 * permutes the rows of a family is that family's business.
 * @throws PreludeError 'bad-weights' naming file, tensor or key, and the numbers that do not fit
 */
export async function openGguf(source: ByteSource): Promise<WeightFile> {
  // Nobody knows how long the table of contents is before reading it: try with a window, and a larger one if it ends too soon.
  for (
    let window = Math.min(FIRST_WINDOW, source.size);
    ;
    window = Math.min(window * 4, source.size, MAX_HEADER_BYTES)
  ) {
    const bytes = await source.read(0, window);
    try {
      return parse(source, bytes);
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error;
      if (window === source.size)
        throw badWeights(
          source.name,
          `the file ends after ${source.size} bytes, in the middle of ${error.message}.`,
        );
      if (window >= MAX_HEADER_BYTES)
        throw badWeights(source.name, `its table of contents is longer than ${MAX_HEADER_BYTES} bytes.`);
    }
  }
}

function parse(source: ByteSource, bytes: Uint8Array): WeightFile {
  const file = source.name;
  const cursor = new GgufCursor(file, bytes, source.size);
  cursor.at('its header');
  const magic = cursor.uint32();
  if (magic !== 0x46554747) throw badWeights(file, 'it does not begin with "GGUF", so it is no GGUF file.');
  const version = cursor.uint32();
  if (version !== 2 && version !== 3)
    throw badWeights(
      file,
      version > 0xffff ? 'it is a big-endian GGUF file.' : `it is GGUF version ${version}.`,
      'Prelude reads little-endian GGUF of version 2 and 3; convert the model again with a current llama.cpp.',
    );
  // The shortest tensor info has 24 bytes, the shortest pair 13.
  const tensorCount = cursor.count('tensors', 24);
  const pairCount = cursor.count('metadata pairs', 13);
  if (tensorCount > MAX_TENSORS || pairCount > MAX_PAIRS)
    throw badWeights(
      file,
      `it claims ${tensorCount} tensors and ${pairCount} metadata pairs; no real model has more than ${MAX_TENSORS}.`,
    );

  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < pairCount; i++) {
    cursor.at(`metadata pair ${i + 1} of ${pairCount}`);
    const key = cursor.string();
    if (metadata.has(key)) throw badWeights(file, `its metadata name "${key}" twice.`);
    cursor.at(`metadata "${key}"`);
    metadata.set(key, cursor.value(cursor.uint32(), 0));
  }
  const alignment = metadata.get('general.alignment') ?? 32;
  if (
    typeof alignment !== 'number' ||
    alignment < 1 ||
    alignment > MAX_ALIGNMENT ||
    !Number.isInteger(Math.log2(alignment))
  )
    throw badWeights(
      file,
      `its general.alignment is ${String(alignment)}, not a power of two up to ${MAX_ALIGNMENT}.`,
    );

  const infos: TensorInfo[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    cursor.at(`the info of tensor ${i + 1} of ${tensorCount}`);
    const info = parseInfo(file, cursor, alignment);
    if (names.has(info.name)) throw badWeights(file, `it names the tensor "${info.name}" twice.`);
    names.add(info.name);
    infos.push(info);
  }
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const placed = infos.map((info) => ({ ...info, byteOffset: dataStart + info.byteOffset }));
  checkLayout(source, placed);
  const tensors = new Map(placed.map((info) => [info.name, info]));
  return {
    format: 'gguf',
    name: file,
    tensors,
    metadata: Object.fromEntries(metadata),
    ...tensorReader(source, tensors),
  };
}

/** One tensor info; its `byteOffset` still counts from the start of the data. */
function parseInfo(file: string, cursor: GgufCursor, alignment: number): TensorInfo {
  const name = cursor.string();
  const where = `${file}, tensor "${name}"`;
  const dimensions = cursor.uint32();
  if (dimensions > MAX_DIMENSIONS) throw badWeights(where, `it claims ${dimensions} dimensions.`);
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.unshift(cursor.size(where, 'a size in its shape'));
  const type = cursor.uint32();
  const dtype = TYPES[type];
  if (!dtype)
    throw badWeights(
      where,
      `it is stored as ${OTHER_TYPES[type] ?? `ggml type ${type}`}, which Prelude does not read.`,
      'Use another file of the model, for example one of type Q4_K_M, Q8_0 or F16.',
    );
  const byteLength = byteLengthOf(dtype, shape);
  if (typeof byteLength === 'string') throw badWeights(where, `${byteLength}.`);
  const byteOffset = cursor.size(where, 'its offset');
  if (byteOffset % alignment !== 0)
    throw badWeights(where, `its offset ${byteOffset} is no multiple of the alignment ${alignment}.`);
  return { name, dtype, shape, byteOffset, byteLength };
}

/** Every tensor inside the file, none over another. */
function checkLayout(source: ByteSource, infos: readonly TensorInfo[]): void {
  const sorted = [...infos].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = 0;
  let before = '';
  for (const info of sorted) {
    const where = `${source.name}, tensor "${info.name}"`;
    if (info.byteOffset < end) throw badWeights(where, `it overlaps tensor "${before}".`);
    end = info.byteOffset + info.byteLength;
    before = info.name;
    if (end > source.size)
      throw badWeights(where, `it ends at byte ${end}, but the file has only ${source.size} bytes.`);
  }
}
