/** Text as the bytes of an encoding, for tests of what reads it. */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Without byte order mark, unless the text begins with one. */
export function utf16(text: string, bigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), !bigEndian);
  return bytes;
}
