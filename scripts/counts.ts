/** Reads the JSON reports of Vitest and Playwright: how many tests passed and failed. */
import { existsSync, readFileSync } from 'node:fs';

export interface Counts {
  passed: number;
  failed: number;
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number };
  errors: unknown[];
}

/** A file that could not even be loaded has no failed test of its own: it counts as one. */
function vitestCounts(report: VitestReport): Counts {
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded };
}

function playwrightCounts({ stats, errors }: PlaywrightReport): Counts {
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + errors.length };
}

/**
 * The counts of one runner's report. A runner that failed without a failed test (killed at its limit, an error outside of any
 * test, no report at all) counts as one failure, so that no failure is lost from the sum.
 */
export function readCounts(path: string, succeeded: boolean): Counts {
  let counts: Counts = { passed: 0, failed: 0 };
  let readable = false;
  if (existsSync(path)) {
    try {
      const report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport | PlaywrightReport;
      counts = 'stats' in report ? playwrightCounts(report) : vitestCounts(report);
      readable = true;
    } catch {
      // Half a report of a runner that was stopped.
    }
  }
  if ((!succeeded || !readable) && counts.failed === 0) counts = { ...counts, failed: 1 };
  return counts;
}
