import { analyse } from 'chardet';
import { PreludeError } from '../errors.ts';
import type { TableWarning } from './types.ts';

/** Bytes read, decoded and handed back to the event loop at a time. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** What bytes 0x80 to 0x9F stand for in windows-1252; a space where the code page has nothing. */
export const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';

export interface Decoded {
  /** Without byte order mark, every line end a "\n". */
  text: string;
  encoding: string;
  warnings: TableWarning[];
}

/** Lets the event loop run: messages to a worker, a Stop, a repaint. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Throws `PreludeError('cancelled')` when the signal says so. */
export function checkCancelled(signal: AbortSignal | undefined, name: string): void {
  if (signal?.aborted)
    throw new PreludeError('cancelled', `Reading ${name} was stopped.`, {
      where: name,
      remedy: 'Choose the file again to read it from the start.',
    });
}

/** Bytes `start` to `end` of a Blob or an array. */
export async function bytesOf(data: Blob | Uint8Array, start: number, end: number): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data.subarray(start, end);
  return new Uint8Array(await data.slice(start, end).arrayBuffer());
}

export function sizeOf(data: Blob | Uint8Array): number {
  return data instanceof Uint8Array ? data.byteLength : data.size;
}

/**
 * The encoding that the first bytes prove: a byte order mark, or UTF-16 without one. The latter is known by its zero bytes:
 * delimiters and line ends are ASCII in every script, so the zeros all stand in the high half of the code units.
 */
export function provenEncoding(head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  const even = head.length - (head.length % 2);
  for (let i = 0; i < even; i++) if (head[i] === 0) zeros[i % 2]!++;
  const [high, low] = [zeros[0]!, zeros[1]!];
  if (high + low < Math.max(1, even / 100)) return undefined;
  const guess = low > 20 * high ? 'utf-16le' : high > 20 * low ? 'utf-16be' : undefined;
  if (guess === undefined) return undefined;
  try {
    const text = new TextDecoder(guess, { fatal: true }).decode(head.subarray(0, even), { stream: true });
    return looksLikeText(text) ? guess : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text is free of control characters (but for tab, line ends and form feed). */
export function looksLikeText(text: string): boolean {
  let control = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 && code !== 9 && code !== 10 && code !== 13 && code !== 12) control++;
  }
  // A stray escape or two in an exported chat log is no reason to call it a binary file.
  return control <= text.length / 1000;
}

/**
 * Decodes a whole file. UTF-8 is tried first, since a long text of another encoding is practically never valid UTF-8; then, if it
 * was nearly valid, it is UTF-8 with damage; else `chardet` may name a script that is not Latin, and windows-1252 is the rest.
 */
export async function decode(
  data: Blob | Uint8Array,
  name: string,
  wanted: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Decoded> {
  if (wanted !== undefined) {
    const encoding = canonical(wanted, name);
    const text = await decodeAs(data, name, encoding, false, signal);
    return { text, encoding, warnings: replacementWarnings(text) };
  }
  const head = await bytesOf(data, 0, 65536);
  const proven = provenEncoding(head);
  if (proven !== undefined) {
    const text = await decodeAs(data, name, proven, false, signal);
    return { text, encoding: proven, warnings: replacementWarnings(text) };
  }
  try {
    return { text: await decodeAs(data, name, 'utf-8', true, signal), encoding: 'utf-8', warnings: [] };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const damaged = await decodeAs(data, name, 'utf-8', false, signal);
  const [broken, foreign] = countForeign(damaged);
  if (broken * 10 <= foreign)
    return { text: damaged, encoding: 'utf-8', warnings: replacementWarnings(damaged) };

  const encoding = guessLegacy(await foreignSample(data));
  const text = await decodeAs(data, name, encoding, false, signal);
  return {
    text,
    encoding,
    warnings: [
      {
        kind: 'encoding',
        message: `${name} is not UTF-8; it was read as ${encoding}. If letters look wrong, choose another encoding.`,
        count: 0,
        rows: [],
      },
    ],
  };
}

async function decodeAs(
  data: Blob | Uint8Array,
  name: string,
  encoding: string,
  fatal: boolean,
  signal: AbortSignal | undefined,
): Promise<string> {
  const decoder = new TextDecoder(encoding, { fatal });
  const size = sizeOf(data);
  const pieces: string[] = [];
  let heldBack = '';
  for (let at = 0; at < size || at === 0; at += CHUNK_BYTES) {
    const last = at + CHUNK_BYTES >= size;
    let piece = heldBack + decoder.decode(await bytesOf(data, at, at + CHUNK_BYTES), { stream: !last });
    // A "\r" at the very end may be the first half of "\r\n".
    heldBack = !last && piece.endsWith('\r') ? '\r' : '';
    if (heldBack) piece = piece.slice(0, -1);
    if (encoding === 'windows-1252') piece = piece.replace(/[\u0080-\u009f]/g, fromCodePage);
    pieces.push(piece.includes('\r') ? piece.replace(/\r\n?/g, '\n') : piece);
    if (last) break;
    await breathe();
    checkCancelled(signal, name);
  }
  return pieces.join('');
}

/** Some editions of Node decode windows-1252 as ISO-8859-1, leaving C1 controls where the code page has letters and quotes. */
function fromCodePage(control: string): string {
  const letter = WINDOWS_1252[control.charCodeAt(0) - 0x80];
  return letter === undefined || letter === ' ' ? control : letter;
}

function canonical(label: string, name: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw new PreludeError('bad-table', `"${label}" is not an encoding this browser knows.`, {
      where: name,
      remedy: 'Choose UTF-8, UTF-16 or windows-1252 (Latin-1), or leave the encoding to be found.',
    });
  }
}

/** How many replacement characters, and how many characters beyond ASCII besides. */
function countForeign(text: string): [broken: number, foreign: number] {
  let broken = 0;
  let foreign = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0xfffd) broken++;
    else if (code > 127) foreign++;
  }
  return [broken, foreign];
}

function replacementWarnings(text: string): TableWarning[] {
  const [broken] = text.includes('\ufffd') ? countForeign(text) : [0];
  if (broken === 0) return [];
  const what = broken === 1 ? '1 character' : `${broken.toLocaleString('en')} characters`;
  return [
    {
      kind: 'encoding',
      message: `${what} could not be decoded and stand as "\ufffd". Save the file as UTF-8 again, or choose another encoding.`,
      count: 0,
      rows: [],
    },
  ];
}

/** The bytes around those that are not ASCII: the only ones that tell one legacy encoding from another. */
async function foreignSample(data: Blob | Uint8Array): Promise<Uint8Array> {
  const size = sizeOf(data);
  const sample: number[] = [];
  for (let at = 0; at < size && sample.length < 32768; at += CHUNK_BYTES) {
    const bytes = await bytesOf(data, at, at + CHUNK_BYTES);
    for (let i = 0; i < bytes.length && sample.length < 32768; i++) {
      if (bytes[i]! < 128) continue;
      const end = Math.min(bytes.length, i + 32);
      for (let j = Math.max(0, i - 8); j < end; j++) sample.push(bytes[j]!);
      i = end;
    }
  }
  return Uint8Array.from(sample);
}

/** Encodings that `chardet` tells from Latin ones reliably: multi-byte ones, and scripts whose letters are all beyond ASCII. */
const NOT_LATIN =
  /^(shift_jis|euc-jp|iso-2022-jp|euc-kr|gb18030|big5|windows-1251|koi8-r|iso-8859-5|windows-1253|iso-8859-7)$/;

/** Short samples get low scores, right ones too; what counts is that nothing else comes near. */
const LEAST_CONFIDENCE = 25;

function guessLegacy(sample: Uint8Array): string {
  const [best, next] = analyse(sample);
  const name = best?.name.toLowerCase();
  if (best === undefined || name === undefined || !NOT_LATIN.test(name)) return 'windows-1252';
  if (best.confidence < LEAST_CONFIDENCE || best.confidence < 2 * (next?.confidence ?? 0))
    return 'windows-1252';
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return 'windows-1252';
  }
}
