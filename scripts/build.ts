/** The built studio in `dist/`: whether it is there and up to date. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './processes.ts';

const SOURCES = ['src', 'public', 'index.html', 'package-lock.json', 'vite.config.ts'];

/** The latest change of a file, or of anything in a folder: a folder's own time tells of files taken away. */
function lastChange(path: string): number {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return readdirSync(path).reduce(
    (latest, name) => Math.max(latest, lastChange(join(path, name))),
    found.mtimeMs,
  );
}

/** Whether `dist/` is missing or older than what it is made of. Vite writes index.html last, so half a build counts as none. */
export function buildIsStale(root = ROOT): boolean {
  const built = join(root, 'dist', 'index.html');
  if (!existsSync(built)) return true;
  const time = statSync(built).mtimeMs;
  return SOURCES.map((name) => join(root, name)).some((path) => existsSync(path) && lastChange(path) > time);
}
