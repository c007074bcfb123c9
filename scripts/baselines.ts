/**
 * `npm run baselines -- [--model tiny] [--tasks a,b] [--seeds 0,1,2] [--baselines FILE] [--json FILE]`: what the engine reaches
 * on the samples with the recipe of the PyTorch baselines, beside PyTorch's own figures. Fails where the two differ by more than
 * chance allows.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { BaselineRun } from '../bench/baselines/run.ts';
import { runOnGpu } from '../bench/harness/index.ts';
import { command, GPU_USAGE, gpuOptions, printLine, readGpuOptions } from './gpuOptions.ts';

const USAGE = `Usage: npm run baselines -- ${GPU_USAGE} [--model NAME] [--tasks A,B] [--seeds 0,1] [--baselines FILE] [--json FILE]`;
const DEFAULT_BASELINES = '../shared/reference/nano-t5-baselines.json';
/** Rows held out of each sample: the last quarter of 800 or 900. */
const HELD_OUT: Record<string, number> = { questions: 225, 'film-reviews': 225 };
const HELD_OUT_DEFAULT = 200;

interface BaselineRow {
  task: string;
  model: string | null;
  method: string;
  loss?: string;
  accuracy: number;
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The seeds' own spread, as far as both sides show it, about the runs' common measure: 4 points, from the baselines' triples. */
const SEED_DEVIATION = 0.04;

function readArguments() {
  const { values } = parseArgs({
    options: {
      ...gpuOptions,
      model: { type: 'string', default: 'tiny' },
      tasks: { type: 'string', default: 'fact-or-opinion,questions,film-reviews' },
      seeds: { type: 'string', default: '0,1,2' },
      baselines: { type: 'string', default: DEFAULT_BASELINES },
      json: { type: 'string' },
    },
  });
  const golden = JSON.parse(readFileSync(resolve(values.baselines), 'utf8')) as BaselineRow[];
  return { options: readGpuOptions(values), values, golden };
}

async function main({ options, values, golden }: ReturnType<typeof readArguments>): Promise<number> {
  const { model } = values;
  const tasks = values.tasks.split(',');
  const result = (await runOnGpu({
    ...options,
    entry: 'bench/baselines/run.ts',
    args: { model, tasks, seeds: values.seeds.split(',').map(Number) },
    onMessage: printLine,
  })) as { adapter: string; runs: BaselineRun[] };
  let far = 0;
  for (const task of tasks) {
    const ours = result.runs.filter((run) => run.task === task).map((run) => run.accuracy);
    const theirs = golden
      .filter(
        (row) =>
          row.task === task && row.model === model && row.method === 'prompt tuning' && row.loss === 'labels',
      )
      .map((row) => row.accuracy);
    const p = mean([...ours, ...theirs]);
    // Both are scored on the same rows, which their means share; what differs is the seeds, and which rows each gets right.
    const rows = HELD_OUT[task] ?? HELD_OUT_DEFAULT;
    const deviation = Math.sqrt(
      (SEED_DEVIATION ** 2 + (p * (1 - p)) / rows) * (1 / ours.length + 1 / theirs.length),
    );
    const difference = mean(ours) - mean(theirs);
    const within = Math.abs(difference) <= 2 * deviation;
    if (!within) far++;
    console.log(
      `${task} ${model}: ours ${mean(ours).toFixed(3)} (${ours.length}), PyTorch ${mean(theirs).toFixed(3)} (${theirs.length}), difference ${difference.toFixed(3)}, two deviations ${(2 * deviation).toFixed(3)}: ${within ? 'within noise' : 'TOO FAR'}`,
    );
  }
  if (values.json) writeFileSync(resolve(values.json), `${JSON.stringify(result, null, 1)}\n`);
  return far > 0 ? 1 : 0;
}

await command(USAGE, readArguments, main);
