/** Errors that what came after them has answered: nobody has to dismiss them by hand. */
import type { ErrorReport } from '../../errors.ts';
import type { Notices } from './notices.ts';
import type { Session } from './session.ts';

const ABOUT_MODEL: ErrorReport['code'][] = [
  'bad-config',
  'bad-weights',
  'bad-tokenizer',
  'unsupported-model',
  'download',
];
const ABOUT_TABLE: ErrorReport['code'][] = ['bad-table', 'download'];
const ABOUT_TASK: ErrorReport['code'][] = ['bad-labels', 'bad-template', 'bad-recipe'];

/** Returns the way to stop. */
export function dropStaleErrors(session: Session, notices: Notices): () => void {
  const drop = (codes: readonly string[]) => {
    const { errors, dismissError } = notices.getState();
    for (const { id, report } of errors) if (codes.includes(report.code)) dismissError(id);
  };
  return session.subscribe((now, before) => {
    if (now.model && now.model !== before.model) drop(ABOUT_MODEL);
    // What was wrong with the labels of one table says nothing about another.
    if (now.data && now.data !== before.data) drop([...ABOUT_TABLE, ...ABOUT_TASK]);
    if (now.task && now.task !== before.task) drop(ABOUT_TASK);
  });
}
