import { PreludeError } from '../errors.ts';

/** Nothing larger is read, packed or unpacked: the longest prompt of the widest model is far below. */
export const maxPromptBytes = 64 * 1024 * 1024;

/** A `bad-prompt` error about one file. */
export function badPrompt(file: string, what: string, remedy: string, cause?: unknown): PreludeError {
  return new PreludeError('bad-prompt', `${file}: ${what}`, { where: file, remedy, cause });
}

/**
 * Checks that values are [length, width] and finite.
 * @throws PreludeError `bad-prompt` naming the first virtual token that is not.
 */
export function checkValues(
  file: string,
  prompt: { length: number; width: number; values: Float32Array },
): void {
  const { length, width, values } = prompt;
  if (!Number.isInteger(length) || !Number.isInteger(width) || length < 1 || width < 1)
    throw badPrompt(
      file,
      `The prompt has shape [${length}, ${width}], which holds no numbers.`,
      'A prompt has at least one row (virtual token) and one column: pick another file.',
    );
  if (values.length !== length * width)
    throw badPrompt(
      file,
      `The prompt should have ${length} x ${width} = ${length * width} numbers and has ${values.length}.`,
      'The file is incomplete or damaged: download it again.',
    );
  const bad = values.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    throw badPrompt(
      file,
      `Virtual token ${Math.floor(bad / width) + 1} has the value ${values[bad]} at position ${(bad % width) + 1}.`,
      'The training behind this prompt has diverged (or its numbers do not fit float32): take an earlier checkpoint.',
    );
}

/** Float32 values as little-endian bytes. */
export function floatsToBytes(values: Float32Array): Uint8Array<ArrayBuffer> {
  // Every machine with a browser is little-endian; a copy, because `values` may be a view of a larger buffer.
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  // String.fromCharCode takes its input as arguments: in pieces, or a large prompt overflows the stack.
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** @throws DOMException when `text` is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const chars = atob(text);
  const out = new Uint8Array(chars.length);
  for (let i = 0; i < chars.length; i++) out[i] = chars.charCodeAt(i);
  return out;
}

/** A name from a file: one line, no control characters, at most 120 characters. */
export function cleanName(name: string): string {
  const line = [...name.replace(/\p{C}+/gu, ' ').trim()].slice(0, 120).join('').trim();
  return line || 'prompt';
}

/** `folder/film reviews.zip` -> `film reviews`. */
export function nameOfFile(file: string): string {
  const base = file.split(/[\\/]/).pop() ?? file;
  return cleanName(base.replace(/\.(zip|npy|json|safetensors)$/i, ''));
}
