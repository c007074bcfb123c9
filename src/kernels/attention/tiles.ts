import type { KernelTraits } from '../kernel.ts';

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
}

/** @param width of a head, in loads (vec4, or single values where it is no multiple of 4) */
export function chooseAttentionTile(traits: KernelTraits, pass: Pass, width: number): AttentionTile {
  if (traits.rowLanes === 1) return softwareTile(pass, width);
  // About 16 vec4 for a row's operands and sums leave room for several workgroups on a core.
  const slice = pass === 'forward' ? 8 : 4;
  const lanes = divisor(width, Math.min(16, Math.ceil(width / slice)));
  return { rows: 1, lanes, tiles: Math.max(1, Math.floor(64 / lanes)), block: lanes > 1 ? 4 : 2 };
}

/** Loads cost most and registers do not matter much; barriers are slow. */
function softwareTile(pass: Pass, width: number): AttentionTile {
  const rows = Math.max(1, Math.min(4, Math.floor((pass === 'forward' ? 64 : 32) / width)));
  return { rows, lanes: 1, tiles: 4, block: pass === 'forward' ? 4 : 1 };
}

/** The largest divisor of `value` up to `most`. */
function divisor(value: number, most: number): number {
  let found = most;
  while (value % found !== 0) found--;
  return found;
}
