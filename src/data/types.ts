/** A file of rows, read: every cell is text, every row has as many cells as there are columns. */
export interface Table {
  /** The file's name. */
  name: string;
  format: 'csv' | 'tsv' | 'jsonl' | 'json';
  /** What stands between two cells; empty for JSON. */
  delimiter: string;
  /** As the Encoding Standard names it: "utf-8", "utf-16le", "windows-1252" ... */
  encoding: string;
  /** Whether the first row held the columns' names. Without it they are "column 1", "column 2" ... */
  header: boolean;
  /** Unique names. */
  columns: string[];
  /** [rows][columns]; line ends inside a cell are always "\n". */
  rows: string[][];
  /** [rows]: the line of the file, from 1, on which the row starts. Absent for a JSON array. */
  lineOf?: Uint32Array;
  warnings: TableWarning[];
}

/** Something about a file that a person should know, though it could be read. */
export interface TableWarning {
  kind: 'ragged' | 'truncated' | 'encoding' | 'quotes' | 'bad-line' | 'columns';
  message: string;
  /** How many rows (or lines) it is about; 0 where it is about the whole file. */
  count: number;
  /** The first of them, 0-based rows of the table; empty where the row is not in the table. */
  rows: number[];
}

/** Which column plays which part: column names. */
export interface Roles {
  text: string;
  /** The second text of a pair task (premise and hypothesis, question and passage ...). */
  text2?: string;
  label: string;
}

/** One labelled row. */
export interface Example {
  /** 0-based row of the table that it came from (its own file's, where parts have files of their own). */
  row: number;
  text: string;
  text2?: string;
  label: string;
}

/** Indices into an array of examples, each ascending. */
export interface Splits {
  train: number[];
  dev: number[];
  test: number[];
}

/** What can be done about a finding by one press. */
export type MendKind = 'drop-rows' | 'merge-labels' | 'repair-encoding';

/** One thing that the doctor (or `makeExamples`) noticed. */
export interface Finding {
  kind:
    | 'empty-text'
    | 'empty-label'
    | 'few-examples'
    | 'duplicate'
    | 'conflict'
    | 'leak-test'
    | 'leak-dev'
    | 'unseen-label'
    | 'no-letters'
    | 'unbalanced'
    | 'label-spelling'
    | 'encoding';
  severity: 'note' | 'warning';
  message: string;
  /** The 0-based table rows that it is about, to be shown. */
  rows: number[];
  /** Indices into the examples that the mend acts on: those to drop, to relabel or to repair. Empty where there is no mend. */
  examples: number[];
  mend?: MendKind;
  /** For 'merge-labels': the spelling to write. */
  label?: string;
}
