/** Reads the JSON reports of Vitest and Playwright: how many tests passed and failed, and which did not. */
import { existsSync, readFileSync } from 'node:fs';

export interface Counts {
  passed: number;
  failed: number;
  /** The failed tests by file and title, and those that passed only when they were tried again. */
  names: string[];
}

interface VitestReport {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

interface PlaywrightSuite {
  specs: { file: string; title: string; tests: { status: string }[] }[];
  suites?: PlaywrightSuite[];
}

interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number };
  errors: { message?: string }[];
  suites: PlaywrightSuite[];
}

function vitestCounts({ numPassedTests, testResults }: VitestReport): Counts {
  const names = testResults.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // A file that could not even be loaded has no failed test of its own: it counts as one.
    if (failed.length === 0) return status === 'failed' ? [`${name}: could not be loaded`] : [];
    return failed.map(({ fullName }) => `${name}: ${fullName}`);
  });
  return { passed: numPassedTests, failed: names.length, names };
}

/** A journey that passed on its second try has passed, and is named. */
function playwrightCounts({ stats, errors, suites }: PlaywrightReport): Counts {
  const specs = (suite: PlaywrightSuite): PlaywrightSuite['specs'] => [
    ...suite.specs,
    ...(suite.suites ?? []).flatMap(specs),
  ];
  const marks: Record<string, string> = { unexpected: '', flaky: ' (passed when tried again)' };
  return {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + errors.length,
    names: [
      ...suites
        .flatMap(specs)
        .flatMap(({ file, title, tests }) =>
          tests
            .filter(({ status }) => status in marks)
            .map(({ status }) => `${file}: ${title}${marks[status]}`),
        ),
      ...errors.map(({ message }) => message ?? 'an error outside of any test'),
    ],
  };
}

/**
 * The counts of one runner's report. A runner that failed without a failed test (killed at its limit, an error outside of any
 * test, no report at all) counts as one failure, so that no failure is lost from the sum.
 */
export function readCounts(path: string, succeeded: boolean): Counts {
  let counts: Counts = { passed: 0, failed: 0, names: [] };
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
