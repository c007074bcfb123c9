/**
 * `npm run bench`: measures training steps on WebGPU and prints what they cost. `--json FILE` keeps the numbers. Without
 * `--adapter` it takes the machine's own GPU where there is one.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runOnGpu } from '../bench/harness/index.ts';
import type { AdapterName } from './chromium.ts';
import { command, GPU_USAGE, gpuOptions, printLine, readGpuOptions } from './gpuOptions.ts';

const USAGE = `Usage: npm run bench -- [--workload NAME,...] [--curves prompt,batch,length,depth] [--rounds N] [--precision q8_0|q4_0] [--json FILE] ${GPU_USAGE}`;

/** Undefined leaves it to the environment. Linux servers and containers have no GPU unless one of its files is there. */
function ownAdapter(): AdapterName | undefined {
  if (process.env.PRELUDE_ADAPTER) return undefined;
  const hasGpu = process.platform !== 'linux' || existsSync('/dev/dri') || existsSync('/dev/nvidiactl');
  return hasGpu ? 'default' : 'swiftshader';
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      ...gpuOptions,
      workload: { type: 'string' },
      curves: { type: 'string' },
      rounds: { type: 'string' },
      precision: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds is ${values.rounds}; it must be a whole number from 1 on.`);
  const { precision } = values;
  if (precision !== undefined && precision !== 'q8_0' && precision !== 'q4_0')
    throw new Error(`--precision ${precision}: it can be q8_0 or q4_0.`);
  return {
    options: readGpuOptions(values),
    // Curves alone are asked for without a workload.
    workloads: values.workload?.split(',') ?? (values.curves ? [] : undefined),
    curves: values.curves?.split(','),
    rounds,
    precision,
    json: values.json,
  };
}

async function main({
  options,
  workloads,
  curves,
  rounds,
  precision,
  json,
}: ReturnType<typeof readArguments>): Promise<number> {
  const report = await runOnGpu({
    ...options,
    adapter: options.adapter ?? ownAdapter(),
    entry: 'bench/run.ts',
    args: { workloads, curves, rounds, precision },
    onMessage: printLine,
  });
  if (json) {
    writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`Written to ${json}.`);
  }
  return 0;
}

await command(USAGE, readArguments, main);
