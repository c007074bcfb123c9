import type { KernelTraits, Size } from '../kernel.ts';

/** `forward`; `queries`: gradient of the queries; `keys`: gradient of keys and values. */
export type Pass = 'forward' | 'queries' | 'keys';

/** How one attention kernel is cut up. */
export interface AttentionTile {
  /** Rows an invocation holds: they share each load of the other side. */
  rows: number;
  /** Invocations that share a row of wide heads, so that its values fit registers. They meet in workgroup memory. */
  lanes: number;
  /** Tiles (of `rows` rows, `lanes` invocations) a workgroup has. */
  tiles: number;
  /** Rows of the other side taken at once. */
  block: number;
  /** The two or four lanes of a row add up within a quad of a subgroup, without memory and barriers. */
  quads?: boolean;
}

/** What a tile is chosen for. */
export interface AttentionWork {
  pass: Pass;
  /** Of a head, in loads: vec4, or single values where it is no multiple of 4. */
  width: number;
  /** Rows of queries and of keys. */
  queries: Size;
  keys: Size;
}

export function chooseAttentionTile(traits: KernelTraits, work: AttentionWork): AttentionTile {
  if (traits.rowLanes === 1) return softwareTile(traits, work);
  // With this many loads a row's operands and sums leave room for several workgroups on a core.
  const slice = work.pass === 'forward' ? 8 : 4;
  const lanes = divisor(work.width, Math.min(16, Math.ceil(work.width / slice)));
  return {
    rows: 1,
    lanes,
    tiles: Math.max(1, Math.floor(64 / lanes)),
    block: lanes > 1 ? 4 : 2,
    quads: traits.subgroups && (lanes === 2 || lanes === 4),
  };
}

/** Loads an invocation holds of each operand at most, over all of its rows; above, software adapters compile for seconds. */
const SOFTWARE_LOADS: Record<Pass, number> = { forward: 32, queries: 32, keys: 16 };
/** Wider slices of a head are shared between lanes. The backward passes hold twice the operands. */
const SOFTWARE_SLICE: Record<Pass, number> = { forward: 16, queries: 8, keys: 8 };
/** From this width on a quad shares a row: narrower heads leave its lanes little but the exponentials, which all of them compute. */
const QUAD_WIDTH = 16;
const QUAD_ROWS: Record<Pass, number> = { forward: 4, queries: 8, keys: 4 };
const FEW_ROWS = 256;

/**
 * Loads cost most, so rows share them; but compiling takes time with the square of the text, so not where few rows make little
 * work. A workgroup of four invocations is one vector of the processor, for which barriers cost little; two rows of the other
 * side a barrier halve that again. Where such a vector is a quad, its lanes share a wide head at no cost, and text that is a quarter as
 * long for a row leaves room for more of them.
 */
function softwareTile(traits: KernelTraits, { pass, width, queries, keys }: AttentionWork): AttentionTile {
  const few = [queries, keys].some((rows) => capacity(traits, rows) <= FEW_ROWS);
  if (traits.subgroups && width >= QUAD_WIDTH && width % 4 === 0) {
    const most = few ? 4 : QUAD_ROWS[pass];
    const rows = Math.min(most, Math.floor((SOFTWARE_LOADS[pass] * 4) / width));
    return { rows: Math.max(1, rows), lanes: 4, tiles: 1, block: pass === 'forward' ? 2 : 1, quads: true };
  }
  const lanes = divisor(width, Math.min(4, Math.ceil(width / SOFTWARE_SLICE[pass])));
  const rows = few ? 1 : Math.min(4, Math.floor((SOFTWARE_LOADS[pass] * lanes) / width));
  return {
    rows: Math.max(1, rows),
    lanes,
    tiles: Math.max(1, Math.floor(4 / lanes)),
    block: lanes > 1 ? 2 : 1,
  };
}

const capacity = (traits: KernelTraits, rows: Size): number =>
  typeof rows === 'number' ? rows : (traits.capacity?.[rows] ?? Number.POSITIVE_INFINITY);

/** The largest divisor of `value` up to `most`. */
function divisor(value: number, most: number): number {
  let found = most;
  while (value % found !== 0) found--;
  return found;
}
