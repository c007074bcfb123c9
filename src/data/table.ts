import {
  columnNames,
  excelHint,
  findDelimiter,
  hasHeader,
  readDelimited,
  squareUp,
  usualWidth,
} from './delimited.ts';
import { bytesOf, checkCancelled, decode, sizeOf } from './encoding.ts';
import { looksLikeJson, readJson } from './jsonTable.ts';
import { notATable, refuseOtherFiles } from './notATable.ts';
import type { Table, TableWarning } from './types.ts';
import { truncatedWarning } from './words.ts';

/** Rows read at most; the rest is left out with a warning. */
export const MAX_ROWS = 100_000;
/** Bytes of a file at most; a larger one is refused. */
const MAX_BYTES = 200_000_000;

export interface TableSource {
  name: string;
  data: Blob | Uint8Array;
}

/** What a person knows better than the reader; each is found when left out. */
export interface TableOptions {
  delimiter?: string;
  header?: boolean;
  /** A label of the Encoding Standard: "utf-8", "utf-16le", "latin1" ... */
  encoding?: string;
  /** After each piece (about 1 MB): bytes of the file turned into rows so far. */
  onProgress?(progress: { bytes: number; totalBytes: number; rows: number }): void;
  signal?: AbortSignal;
}

/**
 * Reads a file of rows: CSV, TSV, semicolons, pipes, JSON Lines or a JSON array of objects, told by content and not by the file's
 * name. Runs in pieces with breaks between them, so that a worker goes on answering.
 *
 * @throws PreludeError 'bad-table' where the file is something else (says what), too large, or has fewer than two columns;
 *   'cancelled' after `signal`.
 */
export async function readTable(source: TableSource, options: TableOptions = {}): Promise<Table> {
  const { name, data } = source;
  const { signal } = options;
  const totalBytes = sizeOf(data);
  if (totalBytes > MAX_BYTES)
    throw notATable(
      name,
      `has ${megabytes(totalBytes)}; at most ${megabytes(MAX_BYTES)} can be read`,
      'Make a smaller file: a few thousand rows are plenty for a soft prompt.',
    );
  const tail = await bytesOf(data, Math.max(0, totalBytes - 65536), totalBytes);
  refuseOtherFiles(await bytesOf(data, 0, 65536), tail, name);
  checkCancelled(signal, name);

  const onRows = (rows: number, share: number) =>
    options.onProgress?.({ bytes: Math.round(share * totalBytes), totalBytes, rows });
  onRows(0, 0);
  const decoded = await decode(data, name, options.encoding, signal);
  if (decoded.text.trim() === '')
    throw notATable(
      name,
      'holds nothing but blank space',
      'Choose a file with a text and a label in each row.',
    );

  const { text, encoding } = decoded;
  const json = options.delimiter === undefined && looksLikeJson(text);
  const table = json
    ? await readJson(text, { name, encoding, limit: MAX_ROWS, signal, onRows })
    : await readText(text, name, encoding, options, onRows);
  return { ...table, warnings: [...decoded.warnings, ...table.warnings] };
}

async function readText(
  whole: string,
  name: string,
  encoding: string,
  options: TableOptions,
  onRows: (rows: number, share: number) => void,
): Promise<Table> {
  const hint = excelHint(whole);
  const text = hint === undefined ? whole : whole.slice(whole.indexOf('\n') + 1);
  const delimiter = options.delimiter ?? hint ?? findDelimiter(text);
  if (delimiter === undefined)
    throw notATable(
      name,
      'has only one column: no comma, tab, semicolon or bar parts its lines',
      'Each row needs a text and a label with a comma or a tab between them.',
    );
  // One row more than the limit may be the header.
  const limit = MAX_ROWS + 1;
  const raw = await readDelimited(text, { name, delimiter, limit, signal: options.signal, onRows });
  const { width: usual, share } = usualWidth(raw.rows);
  if (usual < 2)
    throw notATable(
      name,
      `has only one column when parted at ${delimiterWord(delimiter)}`,
      'Choose another delimiter, or leave it to be found.',
    );
  if (share < 0.5)
    throw notATable(
      name,
      `looks like running text: its lines part into different numbers of cells at ${delimiterWord(delimiter)}`,
      'Put quotes around texts that contain the delimiter, or save the table again from a spreadsheet as CSV.',
    );

  const header = options.header ?? hasHeader(raw.rows);
  const names = header ? raw.rows.shift() : undefined;
  const lines = header ? raw.lines.slice(1) : raw.lines;
  if (raw.rows.length === 0)
    throw notATable(
      name,
      'has a header and no rows below it',
      'Choose a file with at least a few rows for each label.',
    );
  const rows = raw.rows.slice(0, MAX_ROWS);
  const warnings: TableWarning[] = [];
  if (raw.more || raw.rows.length > MAX_ROWS) warnings.push(truncatedWarning(name, MAX_ROWS));
  if (raw.quoteErrors > 0) warnings.push(quoteWarning(raw.quoteErrors, raw.quoted));
  const columns = columnNames(names, Math.max(usual, names?.length ?? 0));
  warnings.push(...squareUp(rows, columns.length, delimiter, lines));
  return {
    name,
    format: delimiter === '\t' ? 'tsv' : 'csv',
    delimiter,
    encoding,
    header,
    columns,
    rows,
    lineOf: Uint32Array.from(lines.slice(0, rows.length)),
    warnings,
  };
}

function quoteWarning(count: number, quoted: boolean): TableWarning {
  const where = count === 1 ? 'In 1 place' : `In ${count.toLocaleString('en')} places`;
  return {
    kind: 'quotes',
    message: quoted
      ? `${where} a quote is opened and not closed as CSV asks; look at the rows there.`
      : `${where} quotes do not stand as CSV asks, so quotes were read as plain characters.`,
    count,
    rows: [],
  };
}

function delimiterWord(delimiter: string): string {
  return { '\t': 'tabs', ',': 'commas', ';': 'semicolons', '|': 'bars' }[delimiter] ?? `"${delimiter}"`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
