/** Which runs a person has pinned or hidden, kept in this browser: the engine knows nothing of how its runs are looked at. */

export interface RunMarks {
  pinned: ReadonlySet<string>;
  hidden: ReadonlySet<string>;
}

const KEY = 'prelude.runs';
const NONE: RunMarks = { pinned: new Set(), hidden: new Set() };

/** Storage may be forbidden or hold something else: then nothing is marked. */
export function readMarks(storage = ownStorage()): RunMarks {
  try {
    const value: unknown = JSON.parse(storage?.getItem(KEY) ?? '{}');
    const ids = (name: 'pinned' | 'hidden') => {
      const list = (value as Record<string, unknown> | null)?.[name];
      return new Set(Array.isArray(list) ? list.filter((id) => typeof id === 'string') : []);
    };
    return { pinned: ids('pinned'), hidden: ids('hidden') };
  } catch {
    return NONE;
  }
}

/** Marks of runs that are gone are dropped on the way. */
export function writeMarks(
  runs: readonly { id: string; pinned: boolean; hidden: boolean }[],
  storage = ownStorage(),
): void {
  try {
    const ids = (name: 'pinned' | 'hidden') => runs.filter((run) => run[name]).map(({ id }) => id);
    storage?.setItem(KEY, JSON.stringify({ pinned: ids('pinned'), hidden: ids('hidden') }));
  } catch {
    // The marks then last as long as the page.
  }
}

function ownStorage(): Pick<Storage, 'getItem' | 'setItem'> | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
