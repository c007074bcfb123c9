/**
 * Runs one TypeScript module of ours on WebGPU, in a browser or in Node through Dawn, with folders of this computer to read
 * from and messages back. The reference runner and the benchmark stand on it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { adapterFromEnvironment } from '../../scripts/chromium.ts';
import { ROOT } from '../../scripts/processes.ts';
import { runInBrowser } from './browser.ts';
import { runInDawn } from './dawn.ts';
import type { RunOptions } from './types.ts';

export { type GpuContext, type GpuEntry, RUNTIMES, type RunOptions, type Runtime } from './types.ts';

/**
 * Resolves to what the entry module returns.
 * @throws what the module throws, a crash of its page or process, or the time limit; nothing is left running.
 */
export async function runOnGpu(options: RunOptions): Promise<unknown> {
  if (!existsSync(join(ROOT, options.entry))) throw new Error(`There is no entry module ${options.entry}.`);
  const stop = new AbortController();
  const timer = setTimeout(
    () =>
      stop.abort(
        new Error(`${options.entry} did not end within ${options.timeoutSeconds} s and was stopped.`),
      ),
    options.timeoutSeconds * 1000,
  );
  const publicFolder = (name: string) => join(ROOT, 'public', name);
  const job = {
    entry: options.entry,
    adapter: options.adapter ?? adapterFromEnvironment(),
    folders: { '/models': publicFolder('models'), '/samples': publicFolder('samples'), ...options.folders },
    args: options.args,
  };
  const run = options.runtime === 'browser' ? runInBrowser : runInDawn;
  try {
    return await run(job, options.onMessage ?? (() => {}), stop.signal);
  } finally {
    clearTimeout(timer);
  }
}
