/**
 * Models of hubs: what a person types, what the hub has of it and what it needs here, and the models that this browser keeps. The
 * token lives in this store only, so it goes with the page.
 */
import { createStore } from 'zustand/vanilla';
import type { ErrorReport } from '../../errors.ts';
import type {
  CachedModelCard,
  CachedModels,
  Engine,
  HubReport,
  HubSource,
  ModelNeeds,
  Precision,
} from '../../worker/protocol.ts';
import { asReport } from './errors.ts';
import type { Mirror } from './mirror.ts';
import type { Notices } from './notices.ts';
import type { Session } from './session.ts';

/** What is typed. */
export interface HubQuery {
  id: string;
  revision: string;
  token: string;
}

/** A model that was looked up. */
export interface HubFound {
  source: HubSource;
  report: HubReport;
  /** Why what it needs is not known; the model may be loaded all the same where only that failed. */
  problem?: ErrorReport;
  needs?: ModelNeeds;
  precision?: Precision;
}

export interface HubState {
  query: HubQuery;
  /** `listing`: the hub is asked what it has; `weighing`: its tables of contents are read. */
  phase: 'idle' | 'listing' | 'weighing';
  error?: ErrorReport;
  found?: HubFound;
  /** Undefined until they have been read. */
  kept?: CachedModels;
  /** Which kept model is being loaded, or downloaded for the first time. */
  loading?: string;

  edit(change: Partial<HubQuery>): void;
  lookUp(): Promise<void>;
  /** One GGUF file where a model has several. */
  choose(file: string): Promise<void>;
  setPrecision(precision: Precision): void;
  /** Downloads what is not here yet, and loads it. */
  load(): Promise<boolean>;
  loadKept(model: CachedModelCard): Promise<boolean>;
  /** Deletes a kept model, after the time for an undo. */
  remove(id: string): void;
  refresh(): Promise<void>;
  dismissError(): void;
}

/** What a look-up or a token cannot change: the model itself cannot be computed here. */
const HOPELESS = new Set(['unsupported-model', 'bad-config', 'bad-weights']);
export const isHopeless = (problem: ErrorReport | undefined) =>
  problem !== undefined && HOPELESS.has(problem.code);

/** @param persist asks the browser to keep what is stored even when the disk gets full */
export function createHub(
  {
    engine,
    session,
    notices,
    mirror,
  }: { engine: Engine; session: Session; notices: Notices; mirror: Mirror },
  persist: () => Promise<unknown> = async () => navigator.storage?.persist?.(),
) {
  const store = createStore<HubState>()((set, get) => {
    /** Counts look-ups, so that a slow answer to an older one is dropped. */
    let generation = 0;
    /** Deleted on the page, but not yet in the browser. */
    const leaving = new Set<string>();

    const lookUp = async (file?: string) => {
      const mine = ++generation;
      const { id, revision, token } = get().query;
      const { address } = mirror.getState();
      const source: HubSource = {
        kind: 'hub',
        id: id.trim(),
        ...(revision.trim() && { revision: revision.trim() }),
        ...(token.trim() && { token: token.trim() }),
        ...(address.trim() && { baseUrl: address.trim() }),
        ...(file && { file }),
      };
      set({ phase: 'listing', error: undefined, ...(!file && { found: undefined }) });
      try {
        const report = await engine.lookUpHub(source);
        if (mine !== generation) return;
        set({ found: { source, report } });
        if (report.files.length === 0) return set({ phase: 'idle' });
        set({ phase: 'weighing' });
      } catch (error) {
        if (mine === generation) set({ phase: 'idle', error: asReport(error) });
        return;
      }
      try {
        const needs = await engine.inspectModel(source);
        if (mine === generation)
          set((s) => ({ found: s.found && { ...s.found, needs, precision: needs.recommended } }));
      } catch (error) {
        if (mine === generation) set((s) => ({ found: s.found && { ...s.found, problem: asReport(error) } }));
      } finally {
        if (mine === generation) set({ phase: 'idle' });
      }
    };

    const refresh = async () => {
      try {
        const kept = await engine.cachedModels();
        set({ kept: { ...kept, models: kept.models.filter(({ id }) => !leaving.has(id)) } });
      } catch (error) {
        notices.getState().fail(error);
      }
    };

    const load = async (source: HubSource, key: string, precision?: Precision): Promise<boolean> => {
      const isFirst = get().kept?.models.length === 0;
      set({ loading: key });
      // Asked while it downloads, so that a question of the browser holds nothing up.
      if (isFirst) void persist().catch(() => undefined);
      const loading = session.getState().loadModel(source, { precision });
      const done = await loading;
      set({ loading: undefined });
      await refresh();
      return done;
    };

    return {
      query: { id: '', revision: '', token: '' },
      phase: 'idle',
      edit: (change) => set((s) => ({ query: { ...s.query, ...change } })),
      lookUp: () => lookUp(),
      choose: (file) => lookUp(file),
      setPrecision: (precision) => set((s) => ({ found: s.found && { ...s.found, precision } })),
      async load() {
        const { found } = get();
        return found ? load(found.source, found.report.key, found.precision) : false;
      },
      async loadKept(model) {
        const { token } = get().query;
        // A download that was stopped may need the token again.
        const source = { ...model.source, ...(!model.complete && token.trim() && { token: token.trim() }) };
        set({ loading: model.id });
        // Where this fails, loading says why.
        const needs = await engine.inspectModel(source).catch(() => undefined);
        return load(source, model.id, needs?.recommended);
      },
      remove(id) {
        const model = get().kept?.models.find((kept) => kept.id === id);
        if (!model || leaving.has(id)) return;
        leaving.add(id);
        set((s) => ({
          kept: s.kept && { ...s.kept, models: s.kept.models.filter((kept) => kept.id !== id) },
        }));
        notices.getState().toast(`Deleted ${model.title} from this browser.`, {
          undo: () => {
            leaving.delete(id);
            void refresh();
          },
          onGone: async () => {
            leaving.delete(id);
            try {
              await engine.deleteCachedModel(id);
            } catch (error) {
              notices.getState().fail(error);
            }
            await refresh();
          },
        });
      },
      refresh,
      dismissError: () => set({ error: undefined }),
    };
  });
  // Another model is in use now; and what was stopped has left its part here.
  session.subscribe((now, before) => {
    if (now.model !== before.model) void store.getState().refresh();
  });
  return store;
}

export type Hub = ReturnType<typeof createHub>;
