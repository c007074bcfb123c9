/** The soft prompts kept in this browser, and those that come in as files. */
import { createStore } from 'zustand/vanilla';
import type { ErrorReport } from '../../errors.ts';
import type { Engine, ExportedFile, ExportFormat, PromptRef, SavedPrompt } from '../../worker/protocol.ts';
import { asReport } from './errors.ts';
import type { Notices } from './notices.ts';
import type { Session } from './session.ts';

export interface LibraryState {
  /** Newest first; undefined until they have been read. */
  prompts?: SavedPrompt[];
  /** What the last upload came to, until another one or a dismissal. */
  upload?:
    | { kind: 'reading'; names: string[] }
    | { kind: 'kept'; prompt: SavedPrompt }
    | { kind: 'refused'; report: ErrorReport };

  load(): Promise<void>;
  /** Keeps a run's best prompt under a name. */
  keep(run: string, name: string): Promise<SavedPrompt | undefined>;
  rename(id: string, name: string): Promise<void>;
  /** Deletes with an undo. */
  remove(id: string): Promise<void>;
  importFiles(files: File[]): Promise<SavedPrompt | undefined>;
  dismissUpload(): void;
  /** A prompt as a file to take home; undefined when it failed, which the notices tell. */
  exportFile(prompt: PromptRef, format: ExportFormat): Promise<ExportedFile | undefined>;
  /** The Python that predicts with that file. */
  exportScript(prompt: PromptRef, format: ExportFormat): Promise<ExportedFile | undefined>;
}

export function createLibrary(engine: Engine, session: Session, notices: Notices) {
  const store = createStore<LibraryState>()((set, get) => {
    const { fail, toast } = notices.getState();
    let asked = 0;

    const load = async () => {
      const mine = ++asked;
      try {
        const prompts = await engine.savedPrompts();
        if (mine === asked) set({ prompts: newestFirst(prompts) });
      } catch (error) {
        fail(error, { label: 'Try again', run: () => void load() });
      }
    };
    const change = async (work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        fail(error);
      }
      await load();
    };

    const orFail = async <T>(work: Promise<T>): Promise<T | undefined> => {
      try {
        return await work;
      } catch (error) {
        fail(error);
        return undefined;
      }
    };

    return {
      load,
      async keep(run, name) {
        try {
          const prompt = await engine.savePrompt(run, name.trim());
          toast(`Kept as ${prompt.name}.`);
          await load();
          return prompt;
        } catch (error) {
          fail(error);
          return undefined;
        }
      },
      async rename(id, name) {
        const clean = name.trim();
        const before = get().prompts;
        if (clean === '' || before?.find((prompt) => prompt.id === id)?.name === clean) return;
        set({ prompts: before?.map((prompt) => (prompt.id === id ? { ...prompt, name: clean } : prompt)) });
        await change(() => engine.renamePrompt(id, clean));
      },
      async remove(id) {
        const prompt = get().prompts?.find((kept) => kept.id === id);
        if (!prompt) return;
        set((s) => ({ prompts: s.prompts?.filter((kept) => kept.id !== id) }));
        await change(async () => {
          await engine.deletePrompt(id);
          toast(`Deleted ${prompt.name}.`, { undo: () => void change(() => engine.restorePrompt(id)) });
        });
      },
      async importFiles(files) {
        set({ upload: { kind: 'reading', names: files.map((file) => file.name) } });
        try {
          const prompt = await engine.importPrompt(files);
          set({ upload: { kind: 'kept', prompt } });
          await load();
          return prompt;
        } catch (error) {
          set({ upload: { kind: 'refused', report: asReport(error) } });
          return undefined;
        }
      },
      dismissUpload: () => set({ upload: undefined }),
      exportFile: (prompt, format) => orFail(engine.exportPrompt(prompt, format)),
      exportScript: (prompt, format) => orFail(engine.exportScript(prompt, format)),
    };
  });
  // Which prompts fit is said against the model that is loaded.
  session.subscribe((now, before) => {
    if (now.model !== before.model) void store.getState().load();
  });
  return store;
}

export type Library = ReturnType<typeof createLibrary>;

function newestFirst(prompts: readonly SavedPrompt[]): SavedPrompt[] {
  return [...prompts].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}
