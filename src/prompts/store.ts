import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { PreludeError } from '../errors.ts';
import type { SoftPrompt } from './types.ts';
import { cleanName } from './values.ts';

/** A kept prompt without its values, for lists. */
export interface KeptPrompt extends Omit<SoftPrompt, 'values'> {
  id: string;
  /** Rises with every prompt kept; a restored one has its old place. */
  order: number;
  /** What there was to say when it was kept, such as how it was converted. */
  notes: string[];
}

/** A deleted prompt, for `restore`. */
export interface DeletedPrompt {
  kept: KeptPrompt;
  values: Float32Array;
}

/** Prompts kept in this browser. Every method rejects with PreludeError `storage` when the browser refuses. */
export interface PromptStore {
  /** Newest first. */
  list(): Promise<KeptPrompt[]>;
  get(id: string): Promise<SoftPrompt | undefined>;
  /** Keeps a prompt under its name, or the first free one: "film reviews", "film reviews 2". */
  put(prompt: SoftPrompt, notes?: string[]): Promise<KeptPrompt>;
  /** @returns undefined when there is no such prompt */
  rename(id: string, name: string): Promise<KeptPrompt | undefined>;
  /** @returns what was deleted, for `restore`; undefined when there was nothing */
  delete(id: string): Promise<DeletedPrompt | undefined>;
  /** Brings a deleted prompt back, at its old place; its name is made unique anew. */
  restore(deleted: DeletedPrompt): Promise<KeptPrompt>;
  close(): void;
}

/** A checkpoint of a run that has not ended. `state` is any structured-cloneable value. */
export interface KeptRun<State> {
  id: string;
  state: State;
  /** ISO 8601. */
  updatedAt: string;
}

/** Checkpoints of unfinished runs, so that a closed tab can go on. Rejects like `PromptStore`. */
export interface RunStore<State> {
  /** Replaces the run's last checkpoint, wholly or not at all. */
  put(id: string, checkpoint: { state: State; updatedAt: string }): Promise<void>;
  get(id: string): Promise<KeptRun<State> | undefined>;
  /** Latest first. */
  list(): Promise<KeptRun<State>[]>;
  /** With its snapshots. */
  delete(id: string): Promise<void>;
  /** A prompt that a run had at a step; [P, d]. Replaces what was kept of that step. */
  putSnapshot(id: string, step: number, values: Float32Array): Promise<void>;
  dropSnapshots(id: string, steps: readonly number[]): Promise<void>;
  /** In the order of the steps. */
  snapshots(id: string): Promise<{ step: number; values: Float32Array<ArrayBuffer> }[]>;
  close(): void;
}

interface Schema extends DBSchema {
  prompts: { key: string; value: KeptPrompt; indexes: { order: number } };
  values: { key: string; value: Float32Array };
  runs: { key: string; value: KeptRun<unknown>; indexes: { updatedAt: string } };
  /** By run and step. */
  snapshots: { key: [run: string, step: number]; value: Float32Array<ArrayBuffer> };
}

const databaseName = 'prelude-prompts';

async function openDatabase(): Promise<IDBPDatabase<Schema>> {
  return guarded(async () => {
    const database: IDBPDatabase<Schema> = await openDB<Schema>(databaseName, 2, {
      upgrade(db, before) {
        if (before < 1) {
          db.createObjectStore('prompts', { keyPath: 'id' }).createIndex('order', 'order');
          db.createObjectStore('values');
          db.createObjectStore('runs', { keyPath: 'id' }).createIndex('updatedAt', 'updatedAt');
        }
        db.createObjectStore('snapshots');
      },
      // A newer page in another tab wants to change the schema: this one gives way rather than block it.
      blocking: () => database.close(),
    });
    return database;
  });
}

/** Passes what IndexedDB refuses on as `storage`, in words for a person. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const name = cause instanceof Error || cause instanceof DOMException ? cause.name : '';
    // State that cannot be cloned is a mistake in the program, not the browser's refusal.
    if (name === 'DataCloneError') throw cause;
    if (name === 'QuotaExceededError')
      throw new PreludeError('storage', 'This browser gives the page no more room.', {
        remedy: 'Download prompts you need, delete some here, and save again.',
        cause,
      });
    throw new PreludeError('storage', 'This browser does not let the page keep anything.', {
      remedy:
        'Go on without: download the prompt before closing the tab. Outside a private window, with site data allowed, prompts are kept.',
      cause,
    });
  }
}

/**
 * Opens the prompts kept in this browser (IndexedDB).
 * @throws PreludeError `storage` in a private window or with storage blocked; everything else works without it
 */
export async function openPromptStore(): Promise<PromptStore> {
  const db = await openDatabase();

  /** Writes under a free name in one transaction, so that two tabs cannot take the same one. */
  function write(
    kept: Omit<KeptPrompt, 'order'> & { order?: number },
    values?: Float32Array,
  ): Promise<KeptPrompt> {
    return guarded(async () => {
      const transaction = db.transaction(['prompts', 'values'], 'readwrite');
      const prompts = transaction.objectStore('prompts');
      const others = (await prompts.getAll()).filter((other) => other.id !== kept.id);
      const last = Math.max(0, ...others.map((other) => other.order));
      const entry: KeptPrompt = {
        ...kept,
        name: freeName(cleanName(kept.name), new Set(others.map((other) => other.name))),
        order: kept.order ?? last + 1,
      };
      try {
        // One after the other, so that no rejection goes unheard.
        await prompts.put(entry);
        if (values) await transaction.objectStore('values').put(values, entry.id);
        await transaction.done;
      } catch (error) {
        transaction.done.catch(() => undefined);
        try {
          // A request that fails aborts by itself; a call that throws does not, and would leave a prompt without values.
          transaction.abort();
        } catch {
          // It has ended already.
        }
        throw error;
      }
      return entry;
    });
  }

  return {
    list: () => guarded(async () => (await db.getAllFromIndex('prompts', 'order')).reverse()),
    get: (id) =>
      guarded(async () => {
        const transaction = db.transaction(['prompts', 'values']);
        const [kept, values] = await Promise.all([
          transaction.objectStore('prompts').get(id),
          transaction.objectStore('values').get(id),
        ]);
        if (!kept || !values) return undefined;
        const { id: _, order: __, notes: ___, ...rest } = kept;
        return { ...rest, values };
      }),
    put: (prompt, notes = []) => {
      const { values, ...rest } = prompt;
      // A copy: a view would be stored with the whole buffer under it.
      return write({ ...rest, id: crypto.randomUUID(), notes }, values.slice());
    },
    rename: async (id, name) => {
      const kept = await guarded(() => db.get('prompts', id));
      return kept && write({ ...kept, name });
    },
    delete: (id) =>
      guarded(async () => {
        const transaction = db.transaction(['prompts', 'values'], 'readwrite');
        const prompts = transaction.objectStore('prompts');
        const store = transaction.objectStore('values');
        const [kept, values] = await Promise.all([prompts.get(id), store.get(id)]);
        await Promise.all([prompts.delete(id), store.delete(id), transaction.done]);
        return kept && values && { kept, values };
      }),
    restore: ({ kept, values }) => write(kept, values),
    close: () => db.close(),
  };
}

/** `name`, or `name 2`, `name 3`, ... : the first that is not taken. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const stem = name.replace(/ \d+$/, '');
  let n = 2;
  while (taken.has(`${stem} ${n}`)) n++;
  return `${stem} ${n}`;
}

/** All keys of a run's snapshots. */
const ofRun = (id: string) => IDBKeyRange.bound([id, 0], [id, Number.MAX_SAFE_INTEGER]);

/**
 * Opens the checkpoints of unfinished runs.
 * @throws PreludeError `storage` as `openPromptStore`
 */
export async function openRunStore<State>(): Promise<RunStore<State>> {
  const db = await openDatabase();
  // The database holds what this very store has put.
  const typed = (run: KeptRun<unknown>) => run as KeptRun<State>;
  return {
    put: (id, checkpoint) =>
      guarded(async () => {
        await db.put('runs', { id, state: checkpoint.state, updatedAt: checkpoint.updatedAt });
      }),
    get: (id) =>
      guarded(async () => {
        const run = await db.get('runs', id);
        return run && typed(run);
      }),
    list: () => guarded(async () => (await db.getAllFromIndex('runs', 'updatedAt')).reverse().map(typed)),
    delete: (id) =>
      guarded(async () => {
        await db.delete('runs', id);
        await db.delete('snapshots', ofRun(id));
      }),
    putSnapshot: (id, step, values) =>
      guarded(async () => {
        await db.put('snapshots', values.slice(), [id, step]);
      }),
    dropSnapshots: (id, steps) =>
      guarded(async () => {
        for (const step of steps) await db.delete('snapshots', [id, step]);
      }),
    snapshots: (id) =>
      guarded(async () => {
        const transaction = db.transaction('snapshots');
        const [keys, values] = await Promise.all([
          transaction.store.getAllKeys(ofRun(id)),
          transaction.store.getAll(ofRun(id)),
        ]);
        return keys.map(([, step], i) => ({ step, values: values[i]! }));
      }),
    close: () => db.close(),
  };
}
