import { PreludeError } from '../errors.ts';
import {
  adoptPrompt,
  checkFits,
  type DeletedPrompt,
  exportJson,
  exportNpy,
  exportPeft,
  importPromptFiles,
  type KeptPrompt,
  openPromptStore,
  type PromptModel,
  type PromptStore,
  predictScript,
  type SoftPrompt,
} from '../prompts/index.ts';
import { memoryPromptStore } from './memoryPrompts.ts';
import type { ExportedFile, ExportFormat, SavedPrompt } from './protocol.ts';

/** Virtual tokens at most, as in recipes. */
const MAX_LENGTH = 150;

/**
 * Prompts kept in this browser, and their way out and in as files. `model` is the one that is loaded, which decides what
 * fits; undefined where there is none.
 */
export interface PromptDesk {
  /** Newest first. */
  savedPrompts(model: PromptModel | undefined): Promise<SavedPrompt[]>;
  /** Keeps a prompt under its name, or the first free one. */
  savePrompt(prompt: SoftPrompt, model?: PromptModel): Promise<SavedPrompt>;
  /** @throws PreludeError 'storage' where there is no such prompt (any more); so do the others that take an id */
  renamePrompt(id: string, name: string): Promise<void>;
  deletePrompt(id: string): Promise<void>;
  /** Brings a prompt deleted on this visit back, at its old place. */
  restorePrompt(id: string): Promise<void>;
  get(id: string): Promise<SoftPrompt>;
  /** @throws PreludeError 'bad-prompt' for values that are not finite */
  exportPrompt(prompt: SoftPrompt, format: ExportFormat): ExportedFile;
  /** The Python that predicts with what `exportPrompt` gives. The zip holds it already; the others want it beside them. */
  exportScript(prompt: SoftPrompt, format: ExportFormat): ExportedFile;
  /**
   * Reads a prompt from the files of one drop and keeps it.
   * @throws PreludeError 'bad-prompt' for a file that is none, 'prompt-mismatch' for one that cannot go before this model's input
   */
  importPrompt(files: readonly File[], model: PromptModel | undefined): Promise<SavedPrompt>;
}

/** `openStore` is for tests: where prompts are kept. */
export function createPromptDesk(openStore: () => Promise<PromptStore> = openPromptStore): PromptDesk {
  const deleted = new Map<string, DeletedPrompt>();
  let opening: Promise<{ store: PromptStore; note?: string }> | undefined;

  /** A private window or blocked storage takes nothing away but the memory of another day. */
  const opened = () => {
    opening ??= openStore().then(
      (store) => ({ store }),
      () => ({
        store: memoryPromptStore(),
        note: 'Kept until this page is closed: this browser lets the page store nothing. Download it.',
      }),
    );
    return opening;
  };

  const tellOf = async (kept: KeptPrompt, model: PromptModel | undefined): Promise<SavedPrompt> => {
    const { note } = await opened();
    const saved = savedOf(kept, model);
    return note === undefined ? saved : { ...saved, notes: [note, ...saved.notes] };
  };

  const keep = async (prompt: SoftPrompt, notes: string[], model: PromptModel | undefined) => {
    const { store } = await opened();
    return tellOf(await store.put(prompt, notes), model);
  };

  return {
    async savedPrompts(model) {
      const { store } = await opened();
      return Promise.all((await store.list()).map((kept) => tellOf(kept, model)));
    },
    savePrompt: (prompt, model) => keep(prompt, [], model),
    async renamePrompt(id, name) {
      const { store } = await opened();
      if (!(await store.rename(id, name))) throw gone(id);
    },
    async deletePrompt(id) {
      const { store } = await opened();
      const taken = await store.delete(id);
      if (!taken) throw gone(id);
      deleted.set(id, taken);
    },
    async restorePrompt(id) {
      const { store } = await opened();
      const taken = deleted.get(id);
      if (!taken) throw gone(id);
      await store.restore(taken);
      deleted.delete(id);
    },
    async get(id) {
      const { store } = await opened();
      const prompt = await store.get(id);
      if (!prompt) throw gone(id);
      return prompt;
    },
    exportPrompt,
    exportScript,
    async importPrompt(files, model) {
      const imported = await importPromptFiles(
        files.map((file) => ({ name: file.webkitRelativePath || file.name, data: file })),
      );
      if (imported.length > MAX_LENGTH)
        throw new PreludeError(
          'bad-prompt',
          `"${imported.name}" has ${imported.length} virtual tokens; Prelude takes 1 to ${MAX_LENGTH}.`,
          { where: imported.name, remedy: 'Choose a shorter prompt.' },
        );
      if (!model)
        throw new PreludeError(
          'prompt-mismatch',
          `No model is loaded that "${imported.name}" could be for.`,
          {
            where: imported.name,
            remedy: 'Load a model first, then upload the prompt again.',
          },
        );
      // Only its refusal matters here: what it warns of depends on the model that is loaded when the prompt is looked at.
      checkFits(imported, model);
      const notes = [...imported.notes];
      if (!imported.task)
        notes.push('The file names neither template nor labels: those of the task that is set are used.');
      return keep(adoptPrompt(imported, model, new Date().toISOString()), notes, model);
    },
  };
}

function savedOf(kept: KeptPrompt, model: PromptModel | undefined): SavedPrompt {
  const { id, name, length, width, createdAt, notes } = kept;
  const accuracy = kept.metrics?.testAccuracy ?? kept.metrics?.devAccuracy;
  const saved: SavedPrompt = {
    id,
    name,
    length,
    width,
    modelName: kept.model.name,
    modelFingerprint: kept.model.fingerprint,
    createdAt,
    labels: kept.task?.labels.map(({ label }) => label) ?? [],
    ...(accuracy === undefined ? {} : { accuracy }),
    fits: true,
    notes,
  };
  if (!model) return { ...saved, fits: false, reason: 'Load a model first.' };
  try {
    return { ...saved, notes: [...notes, ...checkFits(kept, model).map(({ message }) => message)] };
  } catch (error) {
    if (error instanceof PreludeError) return { ...saved, fits: false, reason: error.message };
    throw error;
  }
}

function exportPrompt(prompt: SoftPrompt, format: ExportFormat): ExportedFile {
  const stem = fileStem(prompt);
  switch (format) {
    case 'peft':
      return { name: `${stem}-peft.zip`, type: 'application/zip', bytes: exportPeft(prompt) };
    case 'npy':
      return { name: `${stem}.npy`, type: 'application/octet-stream', bytes: exportNpy(prompt) };
    case 'json':
      return {
        name: `${stem}.prelude.json`,
        type: 'application/json',
        bytes: new TextEncoder().encode(exportJson(prompt)),
      };
  }
}

function exportScript(prompt: SoftPrompt, format: ExportFormat): ExportedFile {
  const file = exportPrompt(prompt, format).name;
  const name = format === 'peft' ? 'predict.py' : `${fileStem(prompt)}.predict.py`;
  return {
    name,
    type: 'text/x-python',
    bytes: new TextEncoder().encode(predictScript(prompt, format, file, name)),
  };
}

/** "Film reviews", 20 virtual tokens -> "film-reviews-p20". */
export function fileStem({ name, length }: SoftPrompt): string {
  const words = name.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const plain = [...words.join('-')].slice(0, 60).join('').replace(/-+$/, '') || 'prompt';
  return plain.endsWith(`-p${length}`) ? plain : `${plain}-p${length}`;
}

function gone(id: string): PreludeError {
  return new PreludeError('storage', 'This prompt is no longer kept in this browser.', {
    where: id,
    remedy: 'It may have been deleted in another tab: reload the page, or upload its file again.',
  });
}
