import { expect, it } from 'vitest';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { createEvaluations } from './evaluations.ts';
import { createNotices } from './notices.ts';
import { createSession } from './session.ts';
import { dropStaleErrors } from './staleErrors.ts';

it('drops what a later success has answered, and nothing else', async () => {
  const engine = createFakeEngine();
  const notices = createNotices();
  const session = createSession(engine, notices, createEvaluations(engine));
  dropStaleErrors(session, notices);
  await session.getState().begin();
  const fail = (code: string) => notices.getState().fail({ code, message: code, remedy: 'mend it' });
  const left = () => notices.getState().errors.map((error) => error.report.code);
  for (const code of ['bad-table', 'bad-labels', 'bad-weights', 'storage']) fail(code);
  await session.getState().openData({ kind: 'sample', id: 'questions' });
  expect(left()).toEqual(['bad-weights', 'storage']);
  await session.getState().loadModel({ kind: 'builtin', id: 'base' });
  expect(left()).toEqual(['storage']);
  fail('bad-template');
  fail('bad-table');
  await session.getState().setTask({ ...session.getState().task!.settings, maxTokens: 9 });
  expect(left()).toEqual(['storage', 'bad-table']);
});
