/** A run as it is kept in this browser, and what holds between it and the session that takes it up again. */
import { PreludeError } from '../errors.ts';
import type { Checkpoint, StartedPrompt } from '../tuning/index.ts';
import type { ResidentModel } from './device.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { RunSummary, TaskSettings } from './protocol.ts';

/** A run as it is kept. Plain data that a structured clone carries. */
export interface KeptRunState {
  summary: RunSummary;
  fingerprint: string;
  /** Without own dev and test files, which a browser does not keep. */
  settings: TaskSettings;
  mended: string[];
  labels: { label: string; text: string }[];
  /** A few dev rows, to show the prompt on when another table is open. */
  examples?: { text: string; text2?: string; label: string }[];
  start: StartedPrompt;
  checkpoint: Checkpoint;
}

/** Rows to show a prompt on. */
const SHOWN_ROWS = 4;
/** A longer text says no more, and fills the screen. */
const SHOWN_LENGTH = 120;

/** Short dev rows, their labels in turn. */
export function rowsToShow({ dev, examples, labels }: PreparedTask): NonNullable<KeptRunState['examples']> {
  const rows = dev.map((index) => examples[index]!);
  const short = rows.filter(({ text, text2 }) => text.length + (text2?.length ?? 0) <= SHOWN_LENGTH);
  const byLabel = labels.map((_, label) => short.filter((row) => row.label === label));
  const turns = Array.from({ length: SHOWN_ROWS }, (_, turn) => byLabel.flatMap((own) => own[turn] ?? []));
  return turns
    .flat()
    .slice(0, SHOWN_ROWS)
    .map(({ text, text2, label }) => ({
      text,
      ...(text2 !== undefined && { text2 }),
      label: labels[label]!,
    }));
}

/** Lists grow while a run goes on; what crosses to the page is a copy. */
export const snapshot = (summary: RunSummary): RunSummary => ({
  ...summary,
  steps: summary.steps.slice(),
  evals: summary.evals.slice(),
});

/** "film reviews", "film reviews 2", ... */
export function uniqueName(base: string, runs: readonly KeptRunState[]): string {
  const taken = new Set(runs.map(({ summary }) => summary.name));
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base} ${n}`;
    if (!taken.has(name)) return name;
  }
}

/** Steps after a checkpoint were lost with the device, the tab or the NaN; they will be made again. */
export function dropStepsAfter(summary: RunSummary, step: number): void {
  summary.steps = summary.steps.filter((record) => record.step <= step);
  summary.evals = summary.evals.filter((record) => record.step <= step);
}

export function checkSame(run: KeptRunState, resident: ResidentModel, current: PreparedTask): void {
  const { summary } = run;
  if (run.fingerprint !== resident.report.fingerprint)
    throw new PreludeError(
      'prompt-mismatch',
      `This run learned on ${summary.modelTitle}; ${resident.report.title} is loaded.`,
      {
        remedy: `Load ${summary.modelTitle} on the Model station, then resume.`,
      },
    );
  const { devFile: _, testFile: __, ...settings } = current.settings;
  const same =
    summary.dataName === current.dataName &&
    JSON.stringify(run.settings) === JSON.stringify(settings) &&
    JSON.stringify(run.mended) === JSON.stringify(current.mended);
  if (!same)
    throw new PreludeError(
      'bad-labels',
      `This run learned on "${summary.dataName}" with other settings of the data.`,
      {
        remedy: `Open "${summary.dataName}" on the Data station with the settings it had, then resume.`,
      },
    );
}
