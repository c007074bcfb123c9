/** Runs the tools of this repository as child processes, each with a wall-clock limit, and leaves none behind. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const WINDOWS = process.platform === 'win32';
const require = createRequire(import.meta.url);

/** The script behind a package's command, so that Node can run it without a shell or npx. */
export function toolPath(packageName: string, command = packageName): string {
  const folder = join(ROOT, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: string | Record<string, string>;
  };
  return require.resolve(join(folder, typeof bin === 'string' ? bin : bin[command]));
}

/** Each running process with its parent: from /proc, since small Linux images have no `ps`. */
function allProcesses(): [pid: number, parent: number][] {
  if (!existsSync('/proc/self/stat'))
    return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found: [number, number][] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name in brackets may hold anything; state and parent come after it.
      found.push([Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** `pid` and all processes under it, found while they still have their parents. */
function family(pid: number): number[] {
  if (WINDOWS) return [pid];
  const processes = allProcesses();
  const found = [pid];
  for (let i = 0; i < found.length; i++)
    for (const [child, parent] of processes) if (parent === found[i]) found.push(child);
  return found;
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (WINDOWS) execFileSync('taskkill', ['/PID', String(pid), '/T', '/F'], { stdio: 'ignore' });
    else process.kill(pid, name);
  } catch {
    // It has ended by itself meanwhile.
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Ends a process with everything it started: asks first, so that runners close their browsers, and insists after five
 * seconds. A browser is no member of its starter's process group, so the whole family is looked up.
 */
async function endFamily(pid: number): Promise<void> {
  const pids = family(pid);
  signal(pid, 'SIGTERM');
  const insistAt = Date.now() + 5000;
  while (Date.now() < insistAt && pids.some(isRunning)) await pause(200);
  for (const one of pids) if (isRunning(one)) signal(one, 'SIGKILL');
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export interface RunResult {
  /** The exit status; null when it was killed. */
  code: number | null;
  /** It was stopped at its limit. */
  timedOut: boolean;
  seconds: number;
}

/** Runs `node SCRIPT ARGS` in the repository with the terminal as its own, for at most `limitSeconds`. */
export function runTool(
  args: string[],
  limitSeconds: number,
  env: Record<string, string> = {},
): Promise<RunResult> {
  const started = Date.now();
  return new Promise((resolve, reject) => {
    // A group of its own: Ctrl-C reaches this process only, which then ends the whole family.
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
      detached: !WINDOWS,
    });
    let timedOut = false;
    const interrupted = (name: NodeJS.Signals) => {
      void endFamily(child.pid!).then(() => process.exit(name === 'SIGINT' ? 130 : 143));
    };
    const timer = setTimeout(() => {
      timedOut = true;
      void endFamily(child.pid!);
    }, limitSeconds * 1000);
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const settled = () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
    };
    child.on('error', (error) => {
      settled();
      reject(error);
    });
    child.on('exit', (code) => {
      settled();
      resolve({ code, timedOut, seconds: (Date.now() - started) / 1000 });
    });
  });
}

/** The first port from `first` on that nothing listens on at `host`. */
export async function freePort(first: number, host = '127.0.0.1'): Promise<number> {
  for (let port = first; port < first + 200; port++) if (await isFree(port, host)) return port;
  throw new Error(`No free port between ${first} and ${first + 199} on ${host}.`);
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(new Error(`Cannot listen on ${host}: ${error.message}`));
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
