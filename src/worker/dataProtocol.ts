/** The part of the protocol that is about tables and tasks; `protocol.ts` is the door to it. */

export interface SampleCard {
  id: string;
  title: string;
  about: string;
  rows: number;
  labels: string[];
}

export type DataSource = { kind: 'sample'; id: string } | { kind: 'file'; file: File };

export interface ReadOptions {
  delimiter?: string;
  header?: boolean;
  encoding?: string;
}

export interface Roles {
  text: string;
  text2?: string;
  label: string;
}

export interface DataReport {
  name: string;
  format: string;
  delimiter?: string;
  encoding: string;
  header: boolean;
  columns: string[];
  rows: number;
  warnings: string[];
  /** First rows, for the preview before roles are chosen. */
  head: string[][];
  guessedRoles: Roles;
}

/** What the model is asked. Plain data; goes into URLs and downloads. */
export interface TaskSettings {
  roles: Roles;
  /** Placeholders: `{text}`, `{text2}`. */
  template: string;
  /** A template of words to compare the soft prompt with, for example `positive or negative : {text}`. */
  writtenPrompt: string;
  /** Label as in the data -> word(s) the model answers with. Labels not named stand for themselves. */
  verbalizers: Record<string, string>;
  /** The answer ends in `</s>`, and the scores count it. */
  appendEos: boolean;
  /** Tokens of input kept at most, without the prompt. */
  maxTokens: number;
  split:
    | { kind: 'stratified'; train: number; dev: number; test: number; seed: number }
    | { kind: 'last-quarter'; dev: number; seed: number };
  /** Own files for dev and test in place of a split (same columns). */
  devFile?: File;
  testFile?: File;
}

export interface Finding {
  id: string;
  severity: 'note' | 'warning';
  message: string;
  rows: number[];
  /** The button's verb, where one press mends it: "Remove duplicates". */
  mend?: string;
}

export interface LabelReport {
  label: string;
  count: number;
  word: string;
  /** Tokens of the verbalizer. */
  tokens: string[];
}

export interface TaskReport {
  settings: TaskSettings;
  labels: LabelReport[];
  counts: { examples: number; train: number; dev: number; test: number; leftOut: number };
  /** Token lengths of all examples before truncation: `counts[i]` examples have `i * binWidth` to `(i + 1) * binWidth - 1`. */
  lengths: { binWidth: number; counts: number[]; longest: number; truncated: number };
  findings: Finding[];
  /** What was mended, oldest first, in words: "3 rows removed: duplicates". */
  mended: string[];
  /** Accuracy on dev and test of always answering the commonest training label. */
  majority: { label: string; dev: number; test: number };
}

export interface RowQuery {
  start: number;
  count: number;
  search?: string;
  label?: string;
  part?: 'train' | 'dev' | 'test';
}
export interface RowPage {
  total: number;
  rows: { row: number; text: string; text2?: string; label: string; part: 'train' | 'dev' | 'test' }[];
}

export interface TokenView {
  row: number;
  tokens: string[];
  truncated: boolean;
  label: string;
}
