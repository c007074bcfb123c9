/**
 * Questions to the engine, as a page asks them: only the last of several wishes is asked, and an answer that comes when nobody wants
 * it any more is dropped. Knows no React.
 */
import type { Progress } from '../../worker/protocol.ts';
import { asReport } from './errors.ts';
import type { Notices } from './notices.ts';

/** Runs the last of several wishes, one at a time. */
export function lastWish(work: () => Promise<void>): () => Promise<void> {
  let going: Promise<void> | undefined;
  let again = false;
  return () => {
    again = true;
    going ??= (async () => {
      try {
        while (again) {
          again = false;
          await work();
        }
      } finally {
        going = undefined;
      }
    })();
    return going;
  };
}

export function createQuestions(notices: Notices) {
  /** Counts what is asked about (prompts, tasks, models): an answer about an older one is dropped. */
  let generation = 0;

  /** What fails is told as a notice, but for what was stopped or is no longer wanted. */
  const attempt = async (work: (isCurrent: () => boolean) => Promise<void>): Promise<void> => {
    const mine = generation;
    const isCurrent = () => mine === generation;
    try {
      await work(isCurrent);
    } catch (error) {
      if (isCurrent() && asReport(error).code !== 'cancelled') notices.getState().fail(error);
    }
  };

  return {
    attempt,
    /** All answers that are still to come are no longer wanted. */
    renew(): void {
      generation++;
    },
    /** As `attempt`, for long work: its progress is shown, and undefined when it is over. */
    attemptLong: (
      what: string,
      show: (progress: Progress | undefined) => void,
      work: (onProgress: (progress: Progress) => void, isCurrent: () => boolean) => Promise<void>,
    ): Promise<void> =>
      attempt(async (isCurrent) => {
        // The last message of progress may come after the result.
        let over = false;
        show({ what, done: 0, total: 0, unit: 'examples' });
        try {
          await work((progress) => {
            if (!over && isCurrent()) show(progress);
          }, isCurrent);
        } finally {
          over = true;
          if (isCurrent()) show(undefined);
        }
      }),
  };
}
