import type { ErrorReport } from '../../errors.ts';
import { reportError } from '../../errors.ts';

/** What was caught, as the three-part report. The engine rejects with such reports already; others are wrapped. */
export function asReport(error: unknown): ErrorReport {
  if (isReport(error)) return { ...error };
  return reportError(error);
}

function isReport(error: unknown): error is ErrorReport {
  return (
    typeof error === 'object' &&
    error !== null &&
    !(error instanceof Error) &&
    'code' in error &&
    'message' in error &&
    'remedy' in error
  );
}
