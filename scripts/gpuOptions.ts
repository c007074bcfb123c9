/** The options that every command running on WebGPU takes. */

import { RUNTIMES, type Runtime } from '../bench/harness/index.ts';
import { ADAPTERS, type AdapterName } from './chromium.ts';

/** For `parseArgs`. */
export const gpuOptions = {
  runtime: { type: 'string', default: 'browser' },
  adapter: { type: 'string' },
  minutes: { type: 'string', default: '60' },
} as const;

export const GPU_USAGE = `[--runtime ${RUNTIMES.join('|')}] [--adapter ${ADAPTERS.join('|')}] [--minutes LIMIT]`;

/** Checks what `parseArgs` read. @throws naming the option and what it can be. */
export function readGpuOptions(values: { runtime: string; adapter?: string; minutes: string }): {
  runtime: Runtime;
  adapter: AdapterName | undefined;
  timeoutSeconds: number;
} {
  const { runtime, adapter } = values;
  const minutes = Number(values.minutes);
  if (!(RUNTIMES as string[]).includes(runtime))
    throw new Error(`--runtime ${runtime}: it can be ${RUNTIMES.join(' or ')}.`);
  if (adapter !== undefined && !(ADAPTERS as string[]).includes(adapter))
    throw new Error(`--adapter ${adapter}: it can be ${ADAPTERS.join(', ')}.`);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: give a number above 0.`);
  return {
    runtime: runtime as Runtime,
    adapter: adapter as AdapterName | undefined,
    timeoutSeconds: minutes * 60,
  };
}

/** Prints the `line` of each message; both entry modules send nothing else. */
export function printLine(message: unknown): void {
  console.log((message as { line: string }).line);
}

/**
 * A command's two halves. Arguments that cannot be read end it with what is wrong and how it is called; what fails while it runs,
 * with the error alone.
 */
export async function command<T>(
  usage: string,
  readArguments: () => T,
  run: (args: T) => Promise<number>,
): Promise<void> {
  let args: T;
  try {
    args = readArguments();
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  try {
    process.exitCode = await run(args);
  } catch (error) {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exitCode = 1;
  }
}
