import { breathe, checkCancelled } from './encoding.ts';
import { notATable } from './notATable.ts';
import type { Table, TableWarning } from './types.ts';
import { someOf, truncatedWarning } from './words.ts';

/** Lines between two breaths. */
const LINES = 5000;

type JsonRow = Record<string, unknown>;

interface JsonOptions {
  name: string;
  encoding: string;
  limit: number;
  signal: AbortSignal | undefined;
  onRows(rows: number, share: number): void;
}

/** Whether a text is meant as JSON: as lines or as one array. */
export function looksLikeJson(text: string): boolean {
  const start = text.slice(0, 4096).trimStart();
  return /^\{\s*("|\})/.test(start) || /^\[\s*[[{\]]/.test(start);
}

/** Reads JSON Lines, or one JSON array of objects (also as the only array in an object: `{"data": [...]}`). */
export async function readJson(text: string, options: JsonOptions): Promise<Table> {
  const whole =
    text.trimStart().startsWith('[') || isOneObject(text) ? parseArray(text, options.name) : undefined;
  if (whole !== undefined) {
    options.onRows(Math.min(whole.length, options.limit), 1);
    return build(whole, undefined, 'json', options, []);
  }
  const rows: JsonRow[] = [];
  const lines: number[] = [];
  const bad: number[] = [];
  let reason = '';
  let number = 0;
  for (let at = 0; at < text.length && rows.length <= options.limit; ) {
    const end = text.indexOf('\n', at);
    const stop = end === -1 ? text.length : end;
    const line = text.slice(at, stop).trim();
    at = stop + 1;
    number++;
    if (line !== '') {
      const value = parse(line);
      if (isRow(value)) {
        rows.push(value);
        lines.push(number);
      } else {
        if (bad.length === 0)
          reason = value instanceof SyntaxError ? value.message : 'it is not an object {...}';
        bad.push(number);
      }
    }
    if (number % LINES === 0) {
      options.onRows(Math.min(rows.length, options.limit), Math.min(1, at / text.length));
      await breathe();
      checkCancelled(options.signal, options.name);
    }
  }
  if (rows.length === 0 || bad.length > rows.length)
    throw notATable(
      options.name,
      `starts like JSON Lines, but line ${bad[0] ?? 1} cannot be read (${reason || 'nothing there'})`,
      'Write one JSON object on each line, such as {"text": "...", "label": "..."}.',
    );
  const warnings: TableWarning[] = [];
  if (bad.length > 0) {
    const which =
      bad.length === 1
        ? `Line ${bad[0]} was`
        : `${bad.length.toLocaleString('en')} lines (${someOf(bad)}) were`;
    warnings.push({
      kind: 'bad-line',
      message: `${which} left out: no JSON object could be read there (${reason}).`,
      count: bad.length,
      rows: [],
    });
  }
  options.onRows(Math.min(rows.length, options.limit), 1);
  return build(rows, lines, 'jsonl', options, warnings);
}

/** One object that is not a line: it holds the list of rows, or its first line ends in the middle of it. */
function isOneObject(text: string): boolean {
  const trimmed = text.trim();
  const first = parse(trimmed.split('\n', 1)[0] ?? '');
  if (first instanceof SyntaxError) return !(parse(trimmed) instanceof SyntaxError);
  return isRow(first) && !trimmed.includes('\n') && onlyArray(first) !== undefined;
}

function parseArray(text: string, name: string): JsonRow[] {
  const value = parse(text);
  const remedy =
    'Write an array of objects, such as [{"text": "...", "label": "..."}, ...], or one object on each line.';
  if (value instanceof SyntaxError)
    throw notATable(name, `starts like a JSON array, but cannot be read (${value.message})`, remedy);
  const list = Array.isArray(value) ? value : isRow(value) ? onlyArray(value) : undefined;
  if (list === undefined) throw notATable(name, 'is JSON, but holds no list of rows', remedy);
  if (list.length === 0) throw notATable(name, 'is an empty JSON array', remedy);
  return list.map((item: unknown, index) => {
    if (!isRow(item))
      throw notATable(name, `is a JSON array, but its item ${index + 1} is not an object {...}`, remedy);
    return item;
  });
}

/** The value of the only property that is an array of objects. */
function onlyArray(value: JsonRow): unknown[] | undefined {
  const arrays = Object.values(value).filter(
    (v): v is unknown[] => Array.isArray(v) && v.length > 0 && v.every(isRow),
  );
  return arrays.length === 1 ? arrays[0] : undefined;
}

function build(
  all: JsonRow[],
  lines: number[] | undefined,
  format: 'json' | 'jsonl',
  options: JsonOptions,
  warnings: TableWarning[],
): Table {
  const objects = all.slice(0, options.limit);
  if (all.length > options.limit) warnings.push(truncatedWarning(options.name, options.limit));
  const columns = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  if (columns.length < 2)
    throw notATable(
      options.name,
      'has objects of fewer than two keys',
      'Give every object a text and a label.',
    );
  const rows = objects.map((object) => columns.map((column) => cell(object[column])));
  const table: Table = {
    name: options.name,
    format,
    delimiter: '',
    encoding: options.encoding,
    header: true,
    columns,
    rows,
    warnings,
  };
  return lines === undefined ? table : { ...table, lineOf: Uint32Array.from(lines.slice(0, options.limit)) };
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value.replace(/\r\n?/g, '\n') : JSON.stringify(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return error;
  }
}

function isRow(value: unknown): value is JsonRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Error);
}
