/**
 * Data: a file of labelled texts becomes examples, parts and numbers about answers. Reads tables, guesses their columns' roles,
 * finds what is wrong with them and mends it, splits them, and measures predictions. A leaf: plain data in and out, no DOM, no
 * React, no GPU; runs in a worker and in Node.
 */
export { examine, keepSplits, mend } from './doctor.ts';
export {
  checkLabels,
  combineSplits,
  type ExampleOptions,
  filterRows,
  labelCounts,
  MAX_CLASSES,
  makeExamples,
} from './examples.ts';
export {
  accuracy,
  type ClassMetrics,
  type Comparison,
  compare,
  confusionMatrix,
  type Evaluation,
  evaluate,
  exactMcNemar,
  type Interval,
  majorityBaseline,
  majorityClass,
  NO_LABEL,
  wilsonInterval,
} from './metrics.ts';
export { type Random, randomInteger, seededRandom, shuffle } from './random.ts';
export { guessRoles } from './roles.ts';
export { loadSampleIndex, type Sample, type SampleIndex } from './samples.ts';
export { DEFAULT_SPLIT, type OrderedSplitOptions, type SplitOptions, split, splitOrdered } from './split.ts';
export { MAX_BYTES, MAX_ROWS, readTable, type TableOptions, type TableSource } from './table.ts';
export type { Example, Finding, MendKind, Roles, Splits, Table, TableWarning } from './types.ts';
