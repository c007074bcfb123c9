/**
 * Runs a job in a Node process of its own with Dawn. Of its own, since the Vulkan loader reads its variables when a process
 * starts, and since a hanging driver blocks the whole process: this one can still end it.
 */
import { fork } from 'node:child_process';
import { dawnEnvironment } from '../../scripts/dawn.ts';
import { ROOT } from '../../scripts/processes.ts';
import type { Job } from './types.ts';

/** From the process to its parent. */
export type DawnReply =
  | { kind: 'message'; message: unknown }
  | { kind: 'result'; result: unknown }
  | { kind: 'error'; error: string };

/** Rejects when `signal` is aborted, with its reason; the process is ended either way. */
export function runInDawn(
  job: Job,
  onMessage: (message: unknown) => void,
  signal: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork('bench/harness/dawnHost.ts', {
      cwd: ROOT,
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, ...dawnEnvironment(job.adapter) },
      // What the run prints itself goes to stderr: stdout is for the caller's own lines.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    let settle = () => reject(new Error('The Dawn process ended without a result.'));
    child.on('message', (reply: DawnReply) => {
      if (reply.kind === 'message') return onMessage(reply.message);
      settle = () => (reply.kind === 'result' ? resolve(reply.result) : reject(new Error(reply.error)));
      // It ends by itself now; a driver that hangs on the way out does not matter any more.
      setTimeout(() => child.kill('SIGKILL'), 3000).unref();
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      if (killedBy && killedBy !== 'SIGKILL') console.error(`The Dawn process was ended by ${killedBy}.`);
      else if (code) console.error(`The Dawn process ended with status ${code}.`);
      settle();
    });
    const abort = () => {
      settle = () => reject(signal.reason);
      child.kill('SIGKILL');
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    child.send(job);
  });
}
