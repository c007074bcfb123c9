import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { createEvaluations } from './evaluations.ts';
import { createNotices } from './notices.ts';
import { createSession } from './session.ts';
import { createTaskDraft, TYPING_MS } from './taskDraft.ts';

async function setup() {
  const engine = createFakeEngine();
  const notices = createNotices();
  const session = createSession(engine, notices, createEvaluations(engine));
  await session.getState().begin();
  const draft = createTaskDraft(engine, session, notices);
  await vi.runAllTimersAsync();
  const sets = () => engine.calls.filter((call) => call.name === 'setTask').length;
  return { engine, notices, session, draft, sets };
}

describe('taskDraft', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('starts from the task in use and applies a choice at once', async () => {
    const { session, draft } = await setup();
    expect(draft.getState().draft).toEqual(session.getState().task!.settings);
    draft.getState().change((s) => ({ ...s, maxTokens: 32 }));
    expect(draft.getState().pending).toBe(true);
    await vi.runAllTimersAsync();
    expect(session.getState().task!.settings.maxTokens).toBe(32);
    expect(draft.getState()).toMatchObject({ pending: false, applying: false });
  });

  it('waits for a pause in typing, and uses only the last', async () => {
    const { session, draft, sets } = await setup();
    const before = sets();
    for (const template of ['a {text}', 'ab {text}', 'abc {text}'])
      draft.getState().change((s) => ({ ...s, template }), 'typing');
    await vi.advanceTimersByTimeAsync(TYPING_MS - 1);
    expect(sets()).toBe(before);
    await vi.runAllTimersAsync();
    expect(sets()).toBe(before + 1);
    expect(session.getState().task!.settings.template).toBe('abc {text}');
  });

  it('keeps back what is wrong, says why, and goes back on request', async () => {
    const { session, draft, sets } = await setup();
    const before = sets();
    draft.getState().change((s) => ({ ...s, template: '{tex' }), 'typing');
    await vi.runAllTimersAsync();
    expect(sets()).toBe(before);
    expect(draft.getState().problems.template).toBeDefined();
    draft.getState().revert();
    expect(draft.getState()).toMatchObject({ pending: false, problems: {} });
    expect(draft.getState().draft).toEqual(session.getState().task!.settings);
  });

  it('has one change in work at a time; the newest follows', async () => {
    const { engine, session, draft } = await setup();
    draft.getState().change((s) => ({ ...s, maxTokens: 10 }));
    draft.getState().change((s) => ({ ...s, maxTokens: 11 }));
    draft.getState().change((s) => ({ ...s, maxTokens: 12 }));
    await vi.runAllTimersAsync();
    const asked = engine.calls
      .filter((call) => call.name === 'setTask')
      .map((call) => (call.args[0] as { maxTokens: number }).maxTokens);
    expect(asked.slice(1)).toEqual([10, 12]);
    expect(session.getState().task!.settings.maxTokens).toBe(12);
    expect(draft.getState().pending).toBe(false);
  });

  it('stops a change on its way and stays with what is in use', async () => {
    const { engine, notices, session, draft } = await setup();
    const inUse = session.getState().task!;
    let breakOff = () => {};
    const plain = engine.setTask;
    // As the engine does: newer work takes the place of older.
    engine.setTask = (settings, onProgress) => {
      breakOff();
      if (settings.maxTokens !== 99) return plain(settings, onProgress);
      return new Promise((_, reject) => {
        breakOff = () => reject({ code: 'cancelled', message: 'Newer settings.', remedy: '' });
      });
    };
    draft.getState().change((s) => ({ ...s, maxTokens: 99 }));
    await vi.runAllTimersAsync();
    expect(draft.getState().applying).toBe(true);
    await draft.getState().stop();
    await vi.runAllTimersAsync();
    expect(draft.getState()).toMatchObject({ applying: false, pending: false, draft: inUse.settings });
    expect(session.getState().task).toBe(inUse);
    expect(notices.getState().errors).toEqual([]);
  });

  it('asks for the words of another label column', async () => {
    const { engine, session, draft } = await setup();
    session.setState((s) => ({ data: { ...s.data!, columns: ['text', 'label', 'kind'] } }));
    await vi.runAllTimersAsync();
    draft.setState({ draft: session.getState().task!.settings });
    const suggest = engine.suggestTask;
    engine.suggestTask = async (roles) => ({
      ...(await suggest(roles)),
      verbalizers: { x: 'yes' },
      writtenPrompt: 'yes or no : {text}',
    });
    await draft.getState().setRoles({ text: 'text', label: 'kind' });
    await vi.runAllTimersAsync();
    expect(session.getState().task!.settings).toMatchObject({
      roles: { text: 'text', label: 'kind' },
      verbalizers: { x: 'yes' },
      writtenPrompt: 'yes or no : {text}',
    });
    expect(draft.getState().pending).toBe(false);
  });

  it('follows another table', async () => {
    const { session, draft } = await setup();
    await session.getState().openData({ kind: 'sample', id: 'questions' });
    await vi.runAllTimersAsync();
    expect(draft.getState().draft?.writtenPrompt).toContain('person');
    expect(draft.getState().pending).toBe(false);
  });

  it('shows the suggestion where it could not be used', async () => {
    const { engine, session, draft } = await setup();
    engine.setTask = async () => {
      throw { code: 'bad-labels', message: 'One label only.', remedy: 'Choose another column.' };
    };
    await session.getState().openData({ kind: 'sample', id: 'questions' });
    await vi.runAllTimersAsync();
    expect(session.getState().task).toBeUndefined();
    expect(draft.getState().draft?.roles.label).toBe('label');
    expect(draft.getState().pending).toBe(true);
  });
});
