/**
 * Packed sequences as blocks of equal size, for engines that know neither ranges nor row lists: each block holds the queries of one
 * sequence (or of several that see the same keys) and all keys they see, padded to the largest.
 */
export interface AttentionLayout {
  /** Blocks, and rows of each. */
  blocks: number;
  queries: number;
  keys: number;
  /** [blocks, queries] and [blocks, keys]: the packed row in each place; 0 where there is none. */
  queryIndex: Int32Array;
  keyIndex: Int32Array;
  /** [M], and [Tk - P]: the place of each packed row, counted over all blocks. */
  queryPlace: Int32Array;
  keyPlace: Int32Array;
  /** [P, blocks]: the places of the shared prefix's rows, which every block has. */
  prefixPlace: Int32Array;
  /** [blocks, queries, keys]: 0 where a query sees a key, HIDDEN elsewhere. */
  mask: Float32Array;
  /** rel of query i and key j of any block is j - i + offset; undefined where blocks differ in that. */
  offset: number | undefined;
}

/** Added to a score: nothing is left of it. Finite, so that no difference of two is NaN. */
const HIDDEN = -1e30;

interface Block {
  queryStart: number;
  queryEnd: number;
  keyStart: number;
  keyEnd: number;
}

/**
 * Lays out the rows that `queryRanges` [M, 4] describes (see `AttentionSettings`).
 * @param keyCount Tk
 * @param prefix P, where ranges are those of a shared prefix
 * @throws Error where a query sees nothing.
 */
export function layOut(ranges: Uint32Array, keyCount: number, prefix?: number): AttentionLayout {
  const rows = ranges.length / 4;
  const P = prefix ?? 0;
  const blocks = findBlocks(ranges, P);
  const queries = Math.max(...blocks.map((b) => b.queryEnd - b.queryStart));
  // A padding query looks at a padding key, and so leaves no trace in any gradient.
  const spare = ({ queryStart, queryEnd }: Block) => (queryEnd - queryStart < queries ? 1 : 0);
  const seen = blocks.reduce((sum, { keyStart, keyEnd }) => sum + keyEnd - keyStart, 0);
  const unseen = seen < keyCount - P ? 1 : 0;
  const keys = Math.max(...blocks.map((b) => P + b.keyEnd - b.keyStart + spare(b) + unseen));
  const layout: AttentionLayout = {
    blocks: blocks.length,
    queries,
    keys,
    queryIndex: new Int32Array(blocks.length * queries),
    keyIndex: new Int32Array(blocks.length * keys),
    queryPlace: new Int32Array(rows),
    keyPlace: new Int32Array(keyCount - P).fill(-1),
    prefixPlace: new Int32Array(P * blocks.length),
    mask: new Float32Array(blocks.length * queries * keys).fill(HIDDEN),
    offset: undefined,
  };
  const offsets = new Set<number>();
  blocks.forEach((block, b) => {
    const own = block.queryEnd - block.queryStart;
    for (let p = 0; p < P; p++) {
      layout.keyIndex[b * keys + p] = p;
      layout.prefixPlace[p * blocks.length + b] = b * keys + p;
    }
    for (let row = block.keyStart; row < block.keyEnd; row++) {
      const at = b * keys + P + row - block.keyStart;
      layout.keyIndex[at] = row;
      layout.keyPlace[row - P] = at;
    }
    for (let i = 0; i < queries; i++) {
      const at = b * queries + i;
      const mask = layout.mask.subarray(at * keys, (at + 1) * keys);
      if (i >= own) {
        mask[keys - 1] = 0;
        continue;
      }
      const row = block.queryStart + i;
      layout.queryIndex[at] = row;
      layout.queryPlace[row] = at;
      const [start, end, word, from] = ranges.subarray(4 * row, 4 * row + 4);
      if (prefix !== undefined) for (let p = from; p < P; p++) mask[p] = 0;
      for (let key = start; key < end; key++) {
        const hidden = prefix !== undefined && inHole(word, key - start);
        if (!hidden) mask[key < P ? key : P + key - block.keyStart] = 0;
      }
      if (prefix === undefined) offsets.add((word | 0) + block.keyStart - start + i);
    }
  });
  if (offsets.size === 1) [layout.offset] = offsets;
  // Keys that nobody sees take a place that nobody sees.
  const [first] = blocks;
  for (let row = 0; row < layout.keyPlace.length; row++)
    if (layout.keyPlace[row] < 0) layout.keyPlace[row] = P + first.keyEnd - first.keyStart;
  return layout;
}

function findBlocks(ranges: Uint32Array, prefix: number): Block[] {
  const rows = ranges.length / 4;
  const blocks: Block[] = [];
  let current: Block | undefined;
  for (let row = 0; row < rows; row++) {
    const [start, end, , from] = ranges.subarray(4 * row, 4 * row + 4);
    if (start >= end && from >= prefix) throw new Error(`query row ${row} sees nothing`);
    // Keys of the prefix itself are in every block.
    const [first, last] = end <= prefix ? [prefix, prefix] : [start, end];
    const joins =
      current !== undefined &&
      (first === last
        ? current.keyStart === current.keyEnd
        : first >= current.keyStart && first < current.keyEnd);
    if (current && joins) {
      current.queryEnd = row + 1;
      current.keyEnd = Math.max(current.keyEnd, last);
    } else {
      current = { queryStart: row, queryEnd: row + 1, keyStart: first, keyEnd: last };
      blocks.push(current);
    }
  }
  return blocks;
}

/** Whether a row lies in the gap of a range, as `AttentionSettings.prefix` has it. */
const inHole = (hole: number, at: number): boolean =>
  at >= (hole & 0xffff) && at < (hole & 0xffff) + (hole >>> 16);
