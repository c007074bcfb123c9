/**
 * `npm test`: every check and test of the repository, one stage after another, with one summary. `npm test -- gpu e2e` runs
 * some stages only; `npm test -- dawn` runs the GPU tests in Node through Dawn, which is no part of the whole.
 *
 * Each stage is stopped at its limit and then counts as failed, so that a GPU that hangs cannot stall a run. `--patience 3`
 * multiplies the limits for a slow machine.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIsStale } from './build.ts';
import { ensureChromium } from './chromium.ts';
import { type Counts, readCounts } from './counts.ts';
import { freePort, ROOT, runTool, toolPath } from './processes.ts';

/** All stages together. On two idle cores they take well under 20 minutes; the limits are for what hangs, not for what is slow. */
const TOTAL_MINUTES = 50;

interface Stage {
  name: string;
  /** The name on the command line. */
  group: 'lint' | 'node' | 'gpu' | 'dawn' | 'reference' | 'e2e';
  minutes: number;
  args(): string[];
  env?(): Promise<Record<string, string>>;
  /** Where the runner writes its counts; a stage without is one check. */
  report?: string;
  /** Nothing to run, in words. */
  missing?(): string | undefined;
  needsBrowser?: boolean;
}

const results = join(ROOT, 'test-results');

/** Says so when a folder has no file with that ending. */
function none(folder: string, ending: string): string | undefined {
  const path = join(ROOT, folder);
  const names = existsSync(path) ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : [];
  return names.some((name) => name.endsWith(ending)) ? undefined : `no *${ending} in ${folder}/ yet`;
}

function vitest(name: 'node' | 'gpu' | 'dawn', minutes: number): Stage {
  const report = join(results, `${name}.json`);
  return {
    name: `vitest ${name}`,
    group: name,
    minutes,
    report,
    needsBrowser: name !== 'node',
    missing: () => none('src', name === 'node' ? '.test.ts' : '.gpu.test.ts'),
    args: () => [
      toolPath('vitest'),
      'run',
      `--project=${name}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
  };
}

const STAGES: Stage[] = [
  { name: 'biome', group: 'lint', minutes: 4, args: () => [toolPath('@biomejs/biome', 'biome'), 'check'] },
  { name: 'tsc', group: 'lint', minutes: 6, args: () => [toolPath('typescript', 'tsc'), '--noEmit'] },
  vitest('node', 8),
  vitest('gpu', 16),
  vitest('dawn', 12),
  {
    name: 'PyTorch reference',
    group: 'reference',
    minutes: 6,
    needsBrowser: true,
    args: () => [toolPath('tsx'), 'scripts/reference.ts', 'bench/reference/testdata'],
  },
  {
    name: 'vite build',
    group: 'e2e',
    minutes: 4,
    missing: () => (buildIsStale() ? undefined : 'dist/ is up to date'),
    args: () => [toolPath('vite'), 'build', '--logLevel', 'warn'],
  },
  {
    name: 'playwright e2e',
    group: 'e2e',
    minutes: 18,
    report: join(results, 'e2e.json'),
    needsBrowser: true,
    missing: () => none('e2e', '.spec.ts'),
    args: () => [toolPath('@playwright/test', 'playwright'), 'test'],
    env: async () => ({ PRELUDE_E2E_PORT: String(await freePort(4273)) }),
  },
];

const GROUPS = [...new Set(STAGES.map((stage) => stage.group))];

function readArguments(): { groups: string[]; patience: number } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { patience: { type: 'string', default: '1' } },
  });
  const unknown = positionals.find((name) => !(GROUPS as string[]).includes(name));
  const patience = Number(values.patience);
  if (unknown || !(patience > 0)) {
    console.error(`Usage: npm test -- [${GROUPS.join('|')}] ... [--patience FACTOR]`);
    process.exit(2);
  }
  return { groups: positionals.length ? positionals : GROUPS.filter((name) => name !== 'dawn'), patience };
}

const { groups, patience } = readArguments();
const chosen = STAGES.filter((stage) => groups.includes(stage.group));
const sum = { passed: 0, failed: 0 };
const lines: string[] = [];
mkdirSync(results, { recursive: true });

if (chosen.some((stage) => stage.needsBrowser)) console.log(`Browser: ${ensureChromium()}`);

const endsAt = Date.now() + TOTAL_MINUTES * patience * 60_000;
for (const stage of chosen) {
  const missing = stage.missing?.();
  if (missing) {
    lines.push(`  skipped  ${stage.name}: ${missing}`);
    continue;
  }
  const limit = Math.min(stage.minutes * patience * 60, (endsAt - Date.now()) / 1000);
  if (limit < 5) {
    sum.failed++;
    lines.push(`  FAILED   ${stage.name}: no time left of ${TOTAL_MINUTES * patience} minutes`);
    continue;
  }
  console.log(`\n== ${stage.name}`);
  if (stage.report) rmSync(stage.report, { force: true });
  const { code, timedOut, seconds } = await runTool(stage.args(), limit, await stage.env?.());
  const succeeded = code === 0 && !timedOut;
  const counts: Counts = stage.report
    ? readCounts(stage.report, succeeded)
    : { passed: Number(succeeded), failed: Number(!succeeded), names: [] };
  sum.passed += counts.passed;
  sum.failed += counts.failed;
  const how = timedOut ? `stopped at its limit of ${Math.round(limit)} s` : `${seconds.toFixed(0)} s`;
  lines.push(
    `  ${counts.failed ? 'FAILED ' : 'passed '}  ${stage.name}: ${counts.passed} passed, ${counts.failed} failed, ${how}`,
    ...counts.names.map((name) => `             ${name.replace(`${ROOT}/`, '')}`),
  );
}

console.log(`\nSummary\n${lines.join('\n')}`);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
