import { describe, expect, it } from 'vitest';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { createEvaluations } from './evaluations.ts';
import { createLibrary } from './library.ts';
import { createNotices } from './notices.ts';
import { createSession } from './session.ts';

async function setup() {
  const engine = createFakeEngine();
  const notices = createNotices();
  const session = createSession(engine, notices, createEvaluations(engine));
  const library = createLibrary(engine, session, notices);
  await library.getState().load();
  const names = () => library.getState().prompts?.map((prompt) => prompt.name);
  return { engine, notices, session, library, names };
}

describe('library', () => {
  it('lists what is kept, newest first', async () => {
    const { engine, library, names } = await setup();
    const [kept] = await engine.savedPrompts();
    engine.savedPrompts = async () => [
      kept!,
      { ...kept!, id: 'b', name: 'newer', createdAt: '2026-12-01T00:00:00Z' },
    ];
    await library.getState().load();
    expect(names()).toEqual(['newer', kept!.name]);
  });

  it('renames, but not to nothing', async () => {
    const { engine, library, names } = await setup();
    await library.getState().rename('saved-1', '  Tuesday ');
    expect(names()).toEqual(['Tuesday']);
    await library.getState().rename('saved-1', '   ');
    expect(names()).toEqual(['Tuesday']);
    expect(engine.calls.filter((call) => call.name === 'renamePrompt')).toHaveLength(1);
  });

  it('deletes with an undo', async () => {
    const { notices, library, names } = await setup();
    await library.getState().remove('saved-1');
    expect(names()).toEqual([]);
    const toast = notices.getState().toasts.at(-1)!;
    notices.getState().undo(toast.id);
    await new Promise((done) => setTimeout(done, 5));
    expect(names()).toHaveLength(1);
  });

  it('shows what an upload came to, kept or refused', async () => {
    const { library, notices } = await setup();
    await library.getState().importFiles([new File(['x'], 'a.json')]);
    expect(library.getState().upload).toMatchObject({ kind: 'kept', prompt: { name: 'a.json' } });
    await library.getState().importFiles([new File(['x'], 'notes.txt')]);
    expect(library.getState().upload).toMatchObject({
      kind: 'refused',
      report: { code: 'bad-prompt', where: 'notes.txt' },
    });
    expect(notices.getState().errors).toEqual([]);
    library.getState().dismissUpload();
    expect(library.getState().upload).toBeUndefined();
  });

  it('asks anew what fits when another model is loaded', async () => {
    const { engine, session } = await setup();
    const asked = () => engine.calls.filter((call) => call.name === 'savedPrompts').length;
    const before = asked();
    await session.getState().loadModel({ kind: 'builtin', id: 'base' });
    expect(asked()).toBe(before + 1);
  });
});
