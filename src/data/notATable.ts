import { PreludeError } from '../errors.ts';
import { looksLikeText, provenEncoding } from './encoding.ts';

/**
 * Refuses a file whose first bytes show that it is no table, saying what it is instead. `head` and `tail`: its first and last
 * bytes (64 KiB will do; a zip archive keeps its list of contents at the end). Text is left alone: whether it is a table shows
 * only when it is read.
 */
export function refuseOtherFiles(head: Uint8Array, tail: Uint8Array, name: string): void {
  if (head.length === 0)
    throw notATable(name, 'is empty', 'Choose a file with at least a label and a text in each row.');
  const found = signature(head, tail);
  if (found !== undefined) throw notATable(name, `looks like ${found.what}`, found.remedy);
  if (provenEncoding(head) !== undefined) return;
  // Legacy encodings have no zero bytes either, and keep ASCII's control characters.
  const latin = Array.from(head, (byte) => String.fromCharCode(byte)).join('');
  if (!latin.trim()) throw notATable(name, 'holds nothing but blank space', TABLE_PLEASE);
  if (latin.includes('\0') || !looksLikeText(latin))
    throw notATable(name, 'looks like a binary file, not text', TABLE_PLEASE);
}

/** The refusal itself; `what` completes the sentence "reviews.csv ...". */
export function notATable(name: string, what: string, remedy: string): PreludeError {
  return new PreludeError('bad-table', `${name} ${what}.`, { where: name, remedy });
}

const TABLE_PLEASE = 'Choose a CSV, TSV or JSON Lines file with one row for each text.';
const SAVE_AS_CSV = 'Open it in its program, save it as CSV (UTF-8), and drop that file here.';

interface Kind {
  what: string;
  remedy: string;
}

function signature(head: Uint8Array, tail: Uint8Array): Kind | undefined {
  const start = ascii(head, 0, 4096);
  const has = (text: string) => start.startsWith(text);
  if (has('PK\x03\x04') || has('PK\x05\x06'))
    return insideZip(ascii(head, 0, head.length) + ascii(tail, 0, tail.length));
  if (has('\xd0\xcf\x11\xe0'))
    return { what: 'an old Excel workbook (.xls) or Word document', remedy: SAVE_AS_CSV };
  if (has('%PDF-'))
    return { what: 'a PDF document', remedy: 'Copy its table into a spreadsheet and save that as CSV.' };
  if (has('\x89PNG') || has('\xff\xd8\xff') || has('GIF8') || (has('RIFF') && start.slice(8, 12) === 'WEBP'))
    return { what: 'a picture', remedy: TABLE_PLEASE };
  if (
    has('\x1f\x8b') ||
    has('BZh') ||
    has('\xfd7zXZ') ||
    has('7z\xbc\xaf') ||
    has('Rar!') ||
    has('(\xb5/\xfd')
  )
    return {
      what: 'a compressed file',
      remedy: 'Unpack it and drop the CSV, TSV or JSON Lines file that is in it.',
    };
  if (has('PAR1'))
    return {
      what: 'a Parquet file',
      remedy: 'Save it as CSV first, for example with pandas: read_parquet(...).to_csv(...).',
    };
  if (has('SQLite format 3'))
    return { what: 'a SQLite database', remedy: 'Export the table that you need as CSV.' };
  if (has('{\\rtf')) return { what: 'a rich text document', remedy: SAVE_AS_CSV };
  const text = start
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
    .slice(0, 200)
    .toLowerCase();
  if (/^(<!doctype html|<html|<head|<body|<!--[\s\S]*<html)/.test(text))
    return {
      what: 'a web page (HTML)',
      remedy: 'Download the table itself; a link to a page often saves the page instead of the file.',
    };
  if (text.startsWith('<?xml') || /^<[a-z][\w:-]*[\s>]/.test(text))
    return { what: 'an XML file', remedy: TABLE_PLEASE };
  return undefined;
}

/** Office files are zip archives; the names of the files in them tell which. */
function insideZip(content: string): Kind {
  if (content.includes('xl/') || content.includes('spreadsheetml'))
    return { what: 'an Excel workbook', remedy: SAVE_AS_CSV };
  if (content.includes('opendocument.spreadsheet'))
    return { what: 'an OpenDocument spreadsheet', remedy: SAVE_AS_CSV };
  if (content.includes('word/') || content.includes('opendocument.text'))
    return { what: 'a text document', remedy: 'Copy its table into a spreadsheet and save that as CSV.' };
  return {
    what: 'a zip archive',
    remedy: 'Unpack it and drop the CSV, TSV or JSON Lines file that is in it.',
  };
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Array.from(bytes.subarray(start, end), (byte) => String.fromCharCode(byte)).join('');
}
