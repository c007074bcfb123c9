import { isRecord, parseJson, readJson } from './json.ts';
import { readNpy } from './npy.ts';
import { type AdapterParts, readAdapter, unknownOf } from './peft.ts';
import type { ImportedPrompt, NamedBytes, PromptFile } from './types.ts';
import { badPrompt, maxPromptBytes, nameOfFile } from './values.ts';
import { readZip, type ZipEntry } from './zip.ts';

const knownForms =
  'Pick a PEFT adapter (zip, or its two files together), a .npy file, or a JSON file that Prelude wrote.';

type Content = 'zip' | 'npy' | 'json' | 'safetensors' | 'pickle' | 'unknown';

/** What a file is by its first bytes; its name is not asked. */
function contentOf(bytes: Uint8Array): Content {
  const starts = (...magic: number[]) => magic.every((byte, i) => bytes[i] === byte);
  if (starts(0x50, 0x4b, 3, 4) || starts(0x50, 0x4b, 5, 6)) return 'zip';
  if (starts(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return 'npy';
  if (starts(0x80) && bytes[1]! >= 2 && bytes[1]! <= 5) return 'pickle';
  // safetensors: 8 bytes of length, then JSON. Its length's upper bytes are 0, which JSON text never has.
  if (bytes.length > 8 && bytes[8] === 0x7b && bytes[7] === 0) return 'safetensors';
  const text = starts(0xef, 0xbb, 0xbf) ? 3 : 0;
  const first = bytes.subarray(text, text + 64).find((byte) => ![9, 10, 13, 32].includes(byte));
  return first === 0x7b ? 'json' : 'unknown';
}

/**
 * Reads a prompt from one file: a zipped PEFT adapter folder, a .npy array, Prelude's JSON, or a bare
 * adapter_model.safetensors. The content decides, not the extension. Nothing larger than 64 MiB is read or unpacked.
 * @throws PreludeError `bad-prompt` saying what is wrong in which file and what to do
 */
export async function importPrompt(file: PromptFile): Promise<ImportedPrompt> {
  return importPromptFiles([file]);
}

/**
 * Reads one prompt from a set of files as they were dropped: any that `importPrompt` reads, or the loose files of one
 * adapter folder (adapter_config.json, adapter_model.safetensors and what lies beside them).
 * @throws PreludeError `bad-prompt`
 */
export async function importPromptFiles(files: readonly PromptFile[]): Promise<ImportedPrompt> {
  const named = await Promise.all(files.map(load));
  const [only] = named;
  if (!only) throw badPrompt('no file', 'Nothing was chosen.', knownForms);
  const kinds = named.map((file) => ({ file, content: contentOf(file.bytes) }));
  const weights = kinds.filter((k) => k.content === 'safetensors').map((k) => k.file);
  if (weights.length === 1) {
    const jsons = kinds.filter((k) => k.content === 'json').map((k) => k.file);
    const config = jsons.find((file) => isConfig(file));
    return readAdapter({
      file: named.length === 1 ? only.name : folderName(weights[0]!.name),
      weights: weights[0]!,
      config,
      prelude: jsons.find((file) => file !== config && baseName(file.name) === 'prelude.json'),
    });
  }
  if (named.length > 1)
    throw badPrompt(
      named
        .map((file) => file.name)
        .slice(0, 4)
        .join(', '),
      `${named.length} files were chosen${weights.length > 1 ? `, ${weights.length} of them tensors` : ''}; only the files of one adapter go together.`,
      'Choose one prompt at a time.',
    );
  return importOne(only, kinds[0]!.content);
}

function importOne(file: NamedBytes, content: Content): ImportedPrompt | Promise<ImportedPrompt> {
  const { name, bytes } = file;
  switch (content) {
    case 'zip':
      return importZip(file);
    case 'npy': {
      const unknown: ImportedPrompt['unknown'] = ['model', 'task', 'recipe', 'metrics'];
      return { source: 'npy', name: nameOfFile(name), model: {}, unknown, ...readNpy(name, bytes) };
    }
    case 'json': {
      const prompt = readJson(name, bytes);
      return { source: 'json', ...prompt, notes: [], unknown: unknownOf(prompt) };
    }
    case 'pickle':
      throw isPickle(name);
    default:
      throw badPrompt(
        name,
        bytes.length === 0 ? 'The file is empty.' : 'This is no prompt file that Prelude knows.',
        knownForms,
      );
  }
}

function isPickle(file: string) {
  return badPrompt(
    file,
    'This is a PyTorch pickle, which may run any program when it is opened.',
    'Save the adapter again with save_pretrained(..., safe_serialization=True), or the prompt with numpy.save.',
  );
}

function importZip(file: NamedBytes): Promise<ImportedPrompt> | ImportedPrompt {
  const entries = readZip(file.name, file.bytes);
  const named = (base: string) => entries.filter((entry) => baseName(entry.path) === base);
  const weights = shallowest(file.name, named('adapter_model.safetensors'));
  const read = (entry: ZipEntry): NamedBytes => ({
    name: `${file.name}: ${entry.path}`,
    bytes: entry.read(),
  });
  if (!weights) {
    const prelude = shallowest(file.name, named('prelude.json'));
    if (prelude) return importOne(read(prelude), 'json');
    if (entries.some((entry) => /(^|\/)(data\.pkl|adapter_model\.bin)$/.test(entry.path)))
      throw isPickle(file.name);
    const found = entries.slice(0, 5).map((entry) => entry.path.slice(0, 60));
    throw badPrompt(
      file.name,
      `The zip holds no adapter_model.safetensors${found.length ? ` but ${found.join(', ')}` : ' and no other file'}.`,
      knownForms,
    );
  }
  const folder = weights.path.slice(0, weights.path.length - 'adapter_model.safetensors'.length);
  const beside = (base: string) => {
    const entry = entries.find((e) => e.path === folder + base);
    return entry && read(entry);
  };
  const config = beside('adapter_config.json');
  if (!config)
    throw badPrompt(
      file.name,
      'The zip has adapter_model.safetensors without the adapter_config.json that says what it is.',
      'Pack the whole adapter folder.',
    );
  const parts: AdapterParts = {
    file: file.name,
    weights: read(weights),
    config,
    prelude: beside('prelude.json'),
  };
  return readAdapter(parts);
}

/** The entry nearest to the zip's root; checkpoints in deeper folders give way to it. */
function shallowest(file: string, entries: ZipEntry[]): ZipEntry | undefined {
  const depth = (entry: ZipEntry) => entry.path.split('/').length;
  const least = Math.min(...entries.map(depth));
  const top = entries.filter((entry) => depth(entry) === least);
  if (top.length > 1)
    throw badPrompt(
      file,
      `The zip holds several prompts: ${top
        .map((entry) => entry.path.slice(0, 60))
        .slice(0, 4)
        .join(', ')}.`,
      'Pack one adapter folder alone.',
    );
  return top[0];
}

async function load(file: PromptFile): Promise<NamedBytes> {
  const size = file.data instanceof Uint8Array ? file.data.length : file.data.size;
  if (size > maxPromptBytes)
    throw badPrompt(
      file.name,
      `The file has ${size} bytes; prompts end at ${maxPromptBytes}.`,
      'Pick the prompt, not the model.',
    );
  if (file.data instanceof Uint8Array) return { name: file.name, bytes: file.data };
  try {
    return { name: file.name, bytes: new Uint8Array(await file.data.arrayBuffer()) };
  } catch (cause) {
    throw badPrompt(
      file.name,
      'The browser could not read the file.',
      'Choose the file again: it was moved or changed.',
      cause,
    );
  }
}

function isConfig(file: NamedBytes): boolean {
  if (baseName(file.name) === 'adapter_config.json') return true;
  const data = parseJson(file.name, file.bytes);
  return isRecord(data) && 'peft_type' in data;
}

function baseName(path: string): string {
  return path.split('/').pop()!;
}

/** `film/adapter_model.safetensors` -> `film`; a loose `adapter_model.safetensors` -> `adapter`. */
function folderName(path: string): string {
  return path.split('/').at(-2) ?? 'adapter';
}
