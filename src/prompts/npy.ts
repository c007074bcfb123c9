import { toFloat32 } from '../weights/index.ts';
import { badPrompt, checkValues, floatsToBytes, maxPromptBytes } from './values.ts';

/**
 * A prompt as `numpy.save` writes a float32 array [P, d]: the form in which google-research/prompt-tuning releases its
 * prompts. Byte for byte numpy's own version 1.0 file (NEP 1; `numpy.lib.format`), its spare spaces included.
 */
export function exportNpy(prompt: {
  name: string;
  length: number;
  width: number;
  values: Float32Array;
}): Uint8Array<ArrayBuffer> {
  checkValues(prompt.name, prompt);
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${prompt.length}, ${prompt.width}), }`;
  // numpy leaves room for the first axis to grow to 21 digits, then pads to a multiple of 64 and ends in a newline.
  const grown = dict + ' '.repeat(21 - String(prompt.length).length);
  const prefix = 10;
  const padding = 64 - ((prefix + grown.length + 1) % 64);
  const header = `${grown}${' '.repeat(padding)}\n`;
  const data = floatsToBytes(prompt.values);
  const out = new Uint8Array(prefix + header.length + data.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  out.set(new TextEncoder().encode(header), prefix);
  out.set(data, prefix + header.length);
  return out;
}

const saveAgain = 'Save it again in Python with numpy.save(file, prompt.astype(numpy.float32)).';
const dtypes = { 2: 'F16', 4: 'F32', 8: 'F64' } as const;

/**
 * Reads a .npy file (versions 1 to 3; float16, float32, float64 of either byte order; C or Fortran order) as [P, d].
 * @throws PreludeError `bad-prompt`
 */
export function readNpy(
  file: string,
  bytes: Uint8Array,
): { length: number; width: number; values: Float32Array; notes: string[] } {
  const { dict, dataStart } = readHeader(file, bytes);
  const descr = /'descr'\s*:\s*(?:'([^']*)'|"([^"]*)"|(\S))/.exec(dict);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(dict);
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(dict);
  if (!descr || !order || !shape)
    throw badPrompt(
      file,
      'The .npy header does not say type, order and shape as numpy writes them.',
      saveAgain,
    );

  const type = descr[1] ?? descr[2] ?? 'a record of several fields';
  const match = /^([<>])f([248])$/.exec(type);
  if (!match)
    throw badPrompt(
      file,
      `The array holds ${/O/.test(type) ? 'Python objects' : `"${type}"`}, not floats.`,
      saveAgain,
    );
  const itemBytes = Number(match[2]) as keyof typeof dtypes;

  const axes = shape[1]!
    .split(',')
    .map((x) => x.trim().replace(/L$/, ''))
    .filter((x) => x !== '')
    .map(Number);
  if (axes.length !== 2)
    throw badPrompt(
      file,
      `The array has shape (${axes.join(', ')}); a prompt has two axes: virtual tokens and width.`,
      'Save an array of shape (P, d), for example prompt.reshape(-1, width).',
    );
  const [length, width] = axes as [number, number];
  const count = length * width;
  if (!(count * 8 <= maxPromptBytes))
    throw badPrompt(
      file,
      `The array has shape (${length}, ${width}), larger than any soft prompt.`,
      'Pick the file of the prompt, not of the model.',
    );
  const found = bytes.length - dataStart;
  const wanted = count * itemBytes;
  if (found !== wanted)
    throw badPrompt(
      file,
      `An array (${length}, ${width}) of float${itemBytes * 8} takes ${wanted} bytes; the file has ${found}.`,
      found < wanted ? 'The file is cut off: download it again.' : saveAgain,
    );

  const notes: string[] = [];
  const data = bytes.slice(dataStart);
  if (match[1] === '>') {
    for (let i = 0; i < data.length; i += itemBytes) data.subarray(i, i + itemBytes).reverse();
    notes.push('Converted from big-endian.');
  }
  let values = toFloat32(data, dtypes[itemBytes]);
  if (itemBytes !== 4) notes.push(`Converted from float${itemBytes * 8} to float32.`);
  if (order[1] === 'True') {
    const columns = values;
    values = new Float32Array(count);
    for (let i = 0; i < length; i++)
      for (let j = 0; j < width; j++) values[i * width + j] = columns[j * length + i]!;
    notes.push('Turned from Fortran order to rows.');
  }
  checkValues(file, { length, width, values });
  return { length, width, values, notes };
}

function readHeader(file: string, bytes: Uint8Array): { dict: string; dataStart: number } {
  const cutOff = () =>
    badPrompt(file, 'The file ends inside the .npy header.', 'The file is cut off: download it again.');
  if (bytes.length < 10) throw cutOff();
  const version = bytes[6]!;
  if (version < 1 || version > 3)
    throw badPrompt(file, `The .npy version ${version}.${bytes[7]} is not known.`, saveAgain);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw cutOff();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  // numpy itself refuses headers above 10,000 bytes as unsafe.
  if (size > 10_000) throw badPrompt(file, `The .npy header claims ${size} bytes.`, saveAgain);
  if (start + size > bytes.length) throw cutOff();
  return { dict: new TextDecoder().decode(bytes.subarray(start, start + size)), dataStart: start + size };
}
