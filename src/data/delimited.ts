import Papa from 'papaparse';
import { breathe, checkCancelled } from './encoding.ts';
import { isKnownName, plainName } from './names.ts';
import { notATable } from './notATable.ts';
import type { TableWarning } from './types.ts';
import { someOf } from './words.ts';

/** Characters handed to the parser at a time: a few tens of milliseconds. */
const CHUNK_CHARACTERS = 1024 * 1024;
/** Characters on which delimiter and quoting are judged. */
const SAMPLE_CHARACTERS = 256 * 1024;
/** A quoted cell longer than this is an unclosed quote. */
const LONGEST_CELL = 8 * 1024 * 1024;

const ONE_ROW_A_LINE = 'Choose a table with one row on each line.';

const DELIMITERS = ['\t', ',', ';', '|'] as const;

/** Rows as they stand in the file, before they are made equally wide. */
export interface RawRows {
  rows: string[][];
  /** [rows], from 1. */
  lines: number[];
  /** How many cells were quoted in a way that cannot be read for certain. */
  quoteErrors: number;
  /** There were more than `limit` rows. */
  more: boolean;
  /** Whether quotes were read as quotes, or as letters like any other. */
  quoted: boolean;
}

export interface ReadOptions {
  name: string;
  delimiter: string;
  /** Rows to read at most, a header included. */
  limit: number;
  signal: AbortSignal | undefined;
  /** `share` of the text read so far, 0 to 1. */
  onRows(rows: number, share: number): void;
}

/** The first line of a file written for Excel may name the delimiter: "sep=;". */
export function excelHint(text: string): string | undefined {
  return /^sep=(.)\n/.exec(text)?.[1];
}

/**
 * The delimiter under which most rows of the first 256 KiB have the same number of cells; undefined where none makes two columns.
 */
export function findDelimiter(text: string): string | undefined {
  let best: { delimiter: string; share: number; known: boolean } | undefined;
  for (const delimiter of DELIMITERS) {
    const quoted = judge(text, delimiter, true);
    const reading = quoted.clean
      ? quoted
      : [quoted, judge(text, delimiter, false)].sort((a, b) => b.share - a.share)[0]!;
    if (reading.width < 2) continue;
    const better =
      best === undefined ||
      (reading.known && !best.known && reading.share >= best.share - 0.1) ||
      (reading.known === best.known && reading.share > best.share + 0.01);
    if (better) best = { delimiter, share: reading.share, known: reading.known };
  }
  return best?.delimiter;
}

function judge(text: string, delimiter: string, quotes: boolean) {
  const result = Papa.parse<string[]>(text.slice(0, SAMPLE_CHARACTERS), {
    delimiter,
    newline: '\n',
    fastMode: quotes ? undefined : true,
    preview: 500,
  });
  const rows = result.data.filter((row) => row.length > 1 || row[0] !== '');
  // The sample may end inside a row.
  if (text.length > SAMPLE_CHARACTERS && rows.length > 1 && !result.meta.truncated) rows.pop();
  const { width, share } = usualWidth(rows);
  const known = rows[0]?.some((cell) => isKnownName(cell)) ?? false;
  return {
    width,
    share,
    known: known && width > 1,
    clean: !result.errors.some((error) => error.type === 'Quotes'),
  };
}

/** The most common number of cells, and the share of rows that have it. */
export function usualWidth(rows: readonly string[][]): { width: number; share: number } {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row.length, (counts.get(row.length) ?? 0) + 1);
  let width = 0;
  let most = 0;
  for (const [candidate, count] of counts) {
    if (count > most || (count === most && candidate > width)) [width, most] = [candidate, count];
  }
  return { width, share: rows.length === 0 ? 0 : most / rows.length };
}

/**
 * Reads delimited text (RFC 4180, "\n" as line end). Where the quoting is broken, quotes are read as plain letters if more rows
 * come out whole that way: many tab-separated corpora quote nothing.
 */
export async function readDelimited(text: string, options: ReadOptions): Promise<RawRows> {
  const quoted = await readOnce(text, options, true);
  if (quoted.quoteErrors === 0) return quoted;
  const literal = await readOnce(text, options, false);
  const better = wholeRows(literal.rows) > wholeRows(quoted.rows);
  return better ? { ...literal, quoteErrors: quoted.quoteErrors } : quoted;
}

function wholeRows(rows: readonly string[][]): number {
  const { width, share } = usualWidth(rows);
  return width < 2 ? 0 : share * rows.length;
}

function readOnce(text: string, options: ReadOptions, quotes: boolean): Promise<RawRows> {
  const result: RawRows = { rows: [], lines: [], quoteErrors: 0, more: false, quoted: quotes };
  let line = 1;
  return new Promise((resolve, reject) => {
    let wanted = Math.min(CHUNK_CHARACTERS, text.length);
    const onChunk = (chunk: Papa.ParseResult<string[]>, parser: Papa.Parser) => {
      const before = result.rows.length;
      for (const row of chunk.data) {
        const empty = row.length === 1 && row[0] === '';
        if (!empty) {
          if (result.rows.length === options.limit) {
            result.more = true;
            break;
          }
          result.rows.push(row);
          result.lines.push(line);
        }
        line += 1 + lineEnds(row);
      }
      // Half a row at a chunk's end is parsed again with the next one, so only errors in rows that came out count.
      result.quoteErrors += new Set(
        chunk.errors.filter((e) => e.type === 'Quotes' && (e.row ?? 0) < chunk.data.length).map((e) => e.row),
      ).size;
      const read = chunk.meta.cursor;
      options.onRows(result.rows.length, text.length === 0 ? 1 : Math.min(1, read / text.length));
      if (result.more) {
        parser.abort();
        return;
      }
      if (wanted - read > LONGEST_CELL && before === result.rows.length) {
        // papaparse calls `complete` when aborted; the refusal must come before that.
        if (quotes) result.quoteErrors++;
        else reject(notATable(options.name, 'has a line of several million characters', ONE_ROW_A_LINE));
        parser.abort();
        return;
      }
      if (wanted >= text.length) return;
      wanted = Math.min(text.length, wanted + CHUNK_CHARACTERS);
      parser.pause();
      breathe().then(() => {
        try {
          checkCancelled(options.signal, options.name);
          parser.resume();
        } catch (error) {
          reject(error);
        }
      });
    };
    // papaparse takes a string in chunks too, though its types offer that for files only.
    const config: Papa.ParseConfig<string[]> &
      Pick<Papa.ParseLocalConfig<string[], File>, 'chunk' | 'chunkSize'> = {
      delimiter: options.delimiter,
      newline: '\n',
      fastMode: quotes ? undefined : true,
      chunkSize: CHUNK_CHARACTERS,
      chunk: onChunk,
      complete: () => resolve(result),
    };
    Papa.parse<string[]>(text, config);
  });
}

function lineEnds(row: readonly string[]): number {
  let count = 0;
  for (const cell of row) {
    for (let at = cell.indexOf('\n'); at !== -1; at = cell.indexOf('\n', at + 1)) count++;
  }
  return count;
}

/**
 * Whether the first row names the columns: known names, numbers below a word, a label column in which the first word never comes
 * again, long texts below a short word.
 */
export function hasHeader(rows: readonly string[][]): boolean {
  const first = rows[0];
  if (first === undefined) return false;
  if (rows.length === 1) return first.every(isKnownName);
  const body = rows.slice(1, 1001);
  let evidence = 0;
  for (const [column, name] of first.entries()) {
    const cells = body.map((row) => (row[column] ?? '').trim()).filter((cell) => cell !== '');
    const distinct = new Set(cells);
    if (cells.length === 0) continue;
    const comesAgain = distinct.has(name.trim());
    const fewValues =
      distinct.size <= Math.max(2, Math.min(50, cells.length / 4)) && cells.length > distinct.size;
    if (comesAgain && (fewValues || isNumber(name))) evidence -= 4;
    else if (isKnownName(name)) evidence += 3;
    else if (fewValues && name.trim() !== '' && !isNumber(name)) evidence += 1;
    const numbers = cells.every(isNumber);
    if (numbers) evidence += isNumber(name) ? -2 : name.trim() === '' ? 1 : 2;
    const meanLength = cells.reduce((sum, cell) => sum + cell.length, 0) / cells.length;
    if (meanLength > 20) evidence += name.length < meanLength / 2 && words(name) <= 3 ? 1 : -1;
  }
  const names = first.map(plainName).filter((name) => name !== '');
  if (new Set(names).size < names.length) evidence -= 1;
  return evidence > 0;
}

function isNumber(cell: string): boolean {
  return cell.trim() !== '' && Number.isFinite(Number(cell));
}

function words(text: string): number {
  return text.trim().split(/\s+/).length;
}

/** Names for `width` columns: those of the header, numbered where empty or missing or used twice. */
export function columnNames(header: readonly string[] | undefined, width: number): string[] {
  const names: string[] = [];
  for (let column = 0; column < width; column++) {
    const base = header?.[column]?.trim() || `column ${column + 1}`;
    let name = base;
    for (let again = 2; names.includes(name); again++) name = `${base} (${again})`;
    names.push(name);
  }
  return names;
}

/** Makes every row `width` cells wide, in place: missing cells empty, surplus ones joined to the last column. Says how often. */
export function squareUp(
  rows: string[][],
  width: number,
  delimiter: string,
  lines: readonly number[],
): TableWarning[] {
  const short: number[] = [];
  const long: number[] = [];
  rows.forEach((row, index) => {
    if (row.length < width) {
      short.push(index);
      while (row.length < width) row.push('');
    } else if (row.length > width) {
      long.push(index);
      row.push(row.splice(width - 1).join(delimiter));
    }
  });
  const all = [...short, ...long].sort((a, b) => a - b);
  if (all.length === 0) return [];
  const what: string[] = [];
  if (short.length > 0)
    what.push(`${count(short.length)} fewer cells than the ${width} columns (filled with nothing)`);
  if (long.length > 0) what.push(`${count(long.length)} more (joined to the last column)`);
  const first = all.slice(0, 10);
  return [
    {
      kind: 'ragged',
      message: `${what.join('; ')}. Lines ${someOf(all.map((row) => lines[row] ?? 0))}. A text with the delimiter in it needs quotes around it.`,
      count: all.length,
      rows: first,
    },
  ];
}

function count(rows: number): string {
  return rows === 1 ? '1 row has' : `${rows.toLocaleString('en')} rows have`;
}
