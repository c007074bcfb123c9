/**
 * Packs examples for a decoder. Where all examples have the same prompt its P rows come once, at rows 0 to P - 1, and every
 * example sees them: P + sum of L rows in place of B x (P + L). The rows of an example's input come once too, whatever the number
 * of its answers: beginnings of answers are branches that see the input and not each other. In all layouts the loss and its
 * gradient are those of each example computed alone.
 */
import { PreludeError } from '../errors.ts';
import { type Dims, PROMPT_ROW } from '../kernels/index.ts';
import type { BatchExample, PackedExample } from './batch.ts';

const NONE = 0xffff_ffff;
/** Rows of an input, and of the branches between it and another, that a range can name. */
const MOST_ROWS = 0xffff;

/** What of a model decides how its examples are packed. */
export interface CausalShape {
  window?: { size: number; lastLayer: boolean };
  maxPositions?: number;
}

/**
 * `shared`: one prompt for all, `tree`: each example its own, in both answers branch from one input. `apart`: every answer has
 * rows of its own, because a window that hides some of them has no simple form behind branches.
 */
export type CausalLayout = 'shared' | 'tree' | 'apart';

const longest = ({ prompt, ids, answers }: BatchExample): number =>
  prompt.count + ids.length + answers.sequences.reduce((most, s) => Math.max(most, s.length), 0);

/** The layout that fits all these examples; any of them alone also fits it, or a smaller one. */
export function causalLayout(examples: readonly BatchExample[], shape: CausalShape): CausalLayout {
  const window = shape.window?.size ?? Number.POSITIVE_INFINITY;
  if (examples.some((example) => longest(example) > window)) return 'apart';
  const [first] = examples;
  return examples.every(
    ({ prompt }) => prompt.first === first.prompt.first && prompt.count === first.prompt.count,
  )
    ? 'shared'
    : 'tree';
}

/** Rows that a batch takes once, and rows that each example adds. */
export function causalSizes(
  examples: readonly BatchExample[],
  shape: CausalShape,
): { once: Dims; each(example: BatchExample): Dims } {
  const layout = causalLayout(examples, shape);
  const count = examples[0]?.prompt.count ?? 0;
  return {
    once: layout === 'shared' ? { T: count, S: 1, N: 1 } : { T: 0, S: 0, N: 0 },
    each({ prompt, ids, answers }) {
      const branches = answers.sequences.reduce((sum, s) => sum + s.length, 0);
      const times = layout === 'apart' ? answers.sequences.length : 1;
      return {
        T: (layout === 'shared' ? ids.length : times * (prompt.count + ids.length)) + branches,
        S: layout === 'shared' ? 0 : times,
        N: times + branches,
      };
    },
  };
}

export interface PackedCausal {
  /** T, S, N of the model's graph; P rows of a shared prompt (0: none); pairs of rows that see each other. */
  dims: { T: number; S: number; N: number; P: number; pairs: number; labelPairs: number };
  ids: Uint32Array<ArrayBuffer>;
  promptRow: Uint32Array<ArrayBuffer>;
  positions: Uint32Array<ArrayBuffer>;
  queryRanges: Uint32Array<ArrayBuffer>;
  keyRanges: Uint32Array<ArrayBuffer>;
  windowQueryRanges: Uint32Array<ArrayBuffer>;
  windowKeyRanges: Uint32Array<ArrayBuffer>;
  labelRow: Uint32Array<ArrayBuffer>;
  labelOfRow: Uint32Array<ArrayBuffer>;
  labelPositions: Uint32Array<ArrayBuffer>;
  labelQueryRanges: Uint32Array<ArrayBuffer>;
  labelKeyRanges: Uint32Array<ArrayBuffer>;
  /** For each example, for each of its candidates, its tokens with the label rows (numbers in 0 .. N-1) that predict them. */
  examples: PackedExample[];
}

/**
 * @throws PreludeError `bad-recipe` for a sequence that is longer than the model's positions
 * @throws Error for an example with neither input nor prompt: nothing predicts its answer
 */
export function packCausal(examples: readonly BatchExample[], shape: CausalShape = {}): PackedCausal {
  for (const example of examples) checkLength(example, shape);
  const layout = causalLayout(examples, shape);
  const sizes = causalSizes(examples, shape);
  const shared =
    layout === 'shared' ? (examples[0]?.prompt ?? { first: 0, count: 0 }) : { first: 0, count: 0 };
  const P = shared.count;
  const T = examples.reduce((sum, example) => sum + sizes.each(example).T!, P);

  const ids = new Uint32Array(T);
  const positions = new Uint32Array(T);
  const queryRanges = new Uint32Array(4 * T);
  const keyRanges = new Uint32Array(4 * T);
  const promptRow: number[] = layout === 'shared' ? [0] : [];
  /** The row that predicts token j of a candidate. */
  const rowsOf: number[][][] = [];
  let row = 0;
  /** How many rows each row sees. */
  const seen = new Uint32Array(T);
  const put = (id: number, position: number, from: number, end: number, hole = 0, firstOfPrefix = 0) => {
    ids[row] = id;
    positions[row] = position;
    queryRanges.set([from, row + 1, hole, firstOfPrefix], 4 * row);
    keyRanges.set([row, end, 0, 0], 4 * row);
    seen[row] = row + 1 - from - (hole >>> 16) + P - firstOfPrefix;
    row++;
  };
  const promptId = (index: number) => (PROMPT_ROW | index) >>> 0;

  for (let i = 0; i < P; i++) put(promptId(shared.first + i), i, 0, T, 0, P);
  for (const example of examples) {
    const { prompt, ids: input, answers } = example;
    const own = layout === 'shared' ? 0 : prompt.count;
    /** Prompt and input; rows of the base see `end` as the end of what sees them. */
    const putBase = (first: number, end: number): void => {
      if (own > 0) promptRow.push(first);
      for (let i = 0; i < own; i++) put(promptId(prompt.first + i), i, first, end);
      input.forEach((id, i) => {
        put(id, prompt.count + i, first, end);
      });
    };
    const base = own + input.length;
    const position = prompt.count + input.length;
    /** For each sequence the row before its first, and its first. */
    const homes: [before: number, first: number][] = [];
    if (layout === 'apart')
      for (const sequence of answers.sequences) {
        const first = row;
        putBase(first, first + base + sequence.length);
        homes.push([lastRow(row, first, P), row]);
        sequence.forEach((id, i) => {
          put(id, position + i, first, first + base + sequence.length);
        });
      }
    else {
      const first = row;
      putBase(first, first + sizes.each(example).T!);
      const inputEnd = row;
      for (const sequence of answers.sequences) {
        const start = row;
        if (start - first > MOST_ROWS)
          throw new Error(
            `the rows of one example's answers reach over ${start - first} rows; ${MOST_ROWS} fit`,
          );
        const hole = ((inputEnd - first) | ((start - inputEnd) << 16)) >>> 0;
        homes.push([lastRow(inputEnd, first, P), start]);
        sequence.forEach((id, i) => {
          put(id, position + i, first, start + sequence.length, hole);
        });
      }
    }
    rowsOf.push(
      answers.candidates.map((tokens, c) => {
        const [before, first] = homes[answers.home[c]!]!;
        return tokens.map((_, j) => (j === 0 ? before : first + j - 1));
      }),
    );
  }

  const window = layout === 'apart' ? shape.window : undefined;
  const windowed = window ? cutToWindow(queryRanges, keyRanges, window.size) : { queryRanges, keyRanges };
  const labels = labelInputs(
    [...new Set(rowsOf.flat(2))].sort((a, b) => a - b),
    positions,
    shape.window?.lastLayer ? windowed : { queryRanges, keyRanges },
  );
  if (promptRow.length === 0) promptRow.push(0);
  const pairs = seen.reduce((sum, own) => sum + own, 0);
  const labelPairs = labels.labelRow.reduce((sum, at) => sum + seen[at]!, 0);
  return {
    dims: { T, S: promptRow.length, N: labels.labelRow.length, P, pairs, labelPairs },
    ids,
    promptRow: Uint32Array.from(promptRow),
    positions,
    queryRanges,
    keyRanges,
    windowQueryRanges: windowed.queryRanges,
    windowKeyRanges: windowed.keyRanges,
    ...labels,
    examples: examples.map(({ answers, target }, e) => ({
      target,
      candidates: answers.candidates.map((tokens, c) => ({
        tokens,
        rows: rowsOf[e]![c]!.map((r) => labels.labelOfRow[r]!),
      })),
    })),
  };
}

/** The last of an example's rows before `end`, or of the shared prompt where it has none. */
function lastRow(end: number, first: number, prefix: number): number {
  if (end > first) return end - 1;
  if (prefix === 0)
    throw new Error('an example with neither input nor prompt has nothing that predicts its answer');
  return prefix - 1;
}

/** Rows of sequences that lie apart, each seeing the last `size` rows only. */
function cutToWindow(queryRanges: Uint32Array, keyRanges: Uint32Array, size: number) {
  const cut = { queryRanges: Uint32Array.from(queryRanges), keyRanges: Uint32Array.from(keyRanges) };
  for (let row = 0; row < queryRanges.length / 4; row++) {
    cut.queryRanges[4 * row] = Math.max(queryRanges[4 * row]!, row + 1 - size);
    cut.keyRanges[4 * row + 1] = Math.min(keyRanges[4 * row + 1]!, row + size);
  }
  return cut;
}

/** The label rows, and attention as they alone ask it. Their order is that of the rows, so that ranges of rows stay ranges. */
function labelInputs(
  rows: readonly number[],
  positions: Uint32Array,
  { queryRanges, keyRanges }: { queryRanges: Uint32Array; keyRanges: Uint32Array },
) {
  const T = positions.length;
  const labelOfRow = new Uint32Array(T).fill(NONE);
  const labelQueryRanges = new Uint32Array(4 * rows.length);
  rows.forEach((row, n) => {
    labelOfRow[row] = n;
    labelQueryRanges.set(queryRanges.subarray(4 * row, 4 * row + 4), 4 * n);
  });
  /** Label rows before a row. */
  const before = new Uint32Array(T + 1);
  for (let row = 0; row < T; row++) before[row + 1] = before[row]! + (labelOfRow[row] === NONE ? 0 : 1);
  const labelKeyRanges = new Uint32Array(4 * T);
  for (let row = 0; row < T; row++)
    labelKeyRanges.set([before[keyRanges[4 * row]!]!, before[keyRanges[4 * row + 1]!]!], 4 * row);
  return {
    labelRow: Uint32Array.from(rows),
    labelOfRow,
    labelPositions: Uint32Array.from(rows, (row) => positions[row]!),
    labelQueryRanges,
    labelKeyRanges,
  };
}

function checkLength(example: BatchExample, { maxPositions = Number.POSITIVE_INFINITY }: CausalShape): void {
  const length = longest(example);
  if (length > maxPositions)
    throw new PreludeError(
      'bad-recipe',
      `A text takes ${length} positions with its prompt of ${example.prompt.count}; this model has ${maxPositions}.`,
      { remedy: 'Cut the texts to fewer tokens, or use a shorter prompt.' },
    );
}
