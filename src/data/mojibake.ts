import { WINDOWS_1252 } from './encoding.ts';

/**
 * Text that was UTF-8, read as windows-1252 and saved again: "Ã©" for "é", "â€™" for an apostrophe. Only the lead characters that
 * this damage makes in Western texts and emoji are looked for, since "CAFÉ»" would be a valid sequence too.
 */
const CONTINUATION = `[\u0080-\u00bf${WINDOWS_1252.replaceAll(' ', '')}]`;
const DAMAGED = new RegExp(`[ÂÃ]${CONTINUATION}|â${CONTINUATION}{2}|ð${CONTINUATION}{3}`, 'g');

/** What such damage begins with: most texts have none of it, and are told so fast. */
const LEAD = /[ÂÃâð]/;

/** Whether there is such damage that can be undone. */
export function isDamaged(text: string): boolean {
  return LEAD.test(text) && repairEncoding(text) !== text;
}

/** The text with such damage undone; the same text where there is none. */
export function repairEncoding(text: string): string {
  return text.replace(DAMAGED, (run) => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(run, byteOf));
    } catch {
      return run;
    }
  });
}

function byteOf(letter: string): number {
  const inPage = letter === ' ' ? -1 : WINDOWS_1252.indexOf(letter);
  return inPage === -1 ? letter.charCodeAt(0) : 0x80 + inPage;
}
