import { expect, it } from 'vitest';
import { type DropEntry, droppedFiles } from './droppedFiles.ts';

const file = (name: string): DropEntry => ({ kind: 'file', getFile: async () => new File([], name) });
const folder = (name: string, ...entries: DropEntry[]): DropEntry => ({
  kind: 'directory',
  name,
  async *getEntries() {
    yield* entries;
  },
});

it('finds files in folders, but not at any depth', async () => {
  const files = await droppedFiles([
    file('a'),
    { kind: 'text' },
    folder('1', file('b'), folder('2', folder('3', file('c'), folder('4', file('too deep'))))),
  ]);
  expect(files.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});
