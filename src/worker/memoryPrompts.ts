import type { KeptPrompt, PromptStore } from '../prompts/index.ts';

/** Prompts kept until the page is closed, for a browser that lets the page store nothing. */
export function memoryPromptStore(): PromptStore {
  const prompts = new Map<string, { kept: KeptPrompt; values: Float32Array }>();
  let last = 0;

  const freeName = (name: string, id: string): string => {
    const taken = new Set(
      [...prompts.values()].filter(({ kept }) => kept.id !== id).map(({ kept }) => kept.name),
    );
    const stem = name.replace(/ \d+$/, '');
    let free = name.trim() || 'prompt';
    for (let n = 2; taken.has(free); n++) free = `${stem} ${n}`;
    return free;
  };
  const write = (kept: KeptPrompt, values: Float32Array): KeptPrompt => {
    const entry = { ...kept, name: freeName(kept.name, kept.id) };
    prompts.set(entry.id, { kept: entry, values });
    return entry;
  };

  return {
    list: async () => [...prompts.values()].map(({ kept }) => kept).sort((a, b) => b.order - a.order),
    async get(id) {
      const found = prompts.get(id);
      if (!found) return undefined;
      const { id: _, order: __, notes: ___, ...rest } = found.kept;
      return { ...rest, values: found.values.slice() };
    },
    async put({ values, ...rest }, notes = []) {
      last++;
      return write({ ...rest, id: crypto.randomUUID(), order: last, notes }, values.slice());
    },
    async rename(id, name) {
      const found = prompts.get(id);
      return found && write({ ...found.kept, name }, found.values);
    },
    async delete(id) {
      const found = prompts.get(id);
      prompts.delete(id);
      return found;
    },
    restore: async ({ kept, values }) => write(kept, values),
    close: () => prompts.clear(),
  };
}
