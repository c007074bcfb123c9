/**
 * Data: a file of labelled texts becomes examples, parts and numbers about answers. Reads tables, guesses their columns' roles,
 * finds what is wrong with them and mends it, splits them, and measures predictions. A leaf: plain data in and out, no DOM, no
 * React, no GPU; runs in a worker and in Node.
 */
export { examine, keepSplits, mend } from './doctor.ts';
export {
  checkLabels,
  combineSplits,
  filterRows,
  labelCounts,
  MAX_CLASSES,
  makeExamples,
} from './examples.ts';
export {
  accuracy,
  type Comparison,
  compare,
  confusionMatrix,
  evaluate,
  exactMcNemar,
  majorityBaseline,
  majorityClass,
  NO_LABEL,
  wilsonInterval,
} from './metrics.ts';
export { seededRandom, shuffle } from './random.ts';
export { guessRoles } from './roles.ts';
export { loadSampleIndex, type Sample, type SampleIndex } from './samples.ts';
export { DEFAULT_SPLIT, split, splitOrdered } from './split.ts';
export { MAX_ROWS, readTable, type TableOptions } from './table.ts';
export type { Example, Finding, Splits, Table } from './types.ts';
