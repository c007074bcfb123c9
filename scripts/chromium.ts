/**
 * Finds a Chrome or Chromium for the tests, and installs one where there is none.
 *
 * Order: `CHROMIUM` in the environment, the usual names on PATH, Playwright's own download if it is already there,
 * Debian's package `chromium` (as root, with apt), Playwright's download.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * Flags that give a headless WebGPU on any machine. `SwiftShader` is the software adapter; set `PRELUDE_ADAPTER=default`
 * to run on the machine's own GPU.
 */
export const chromiumArgs: string[] = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--enable-unsafe-webgpu',
  ...(process.env.PRELUDE_ADAPTER === 'default'
    ? ['--enable-features=Vulkan']
    : ['--use-webgpu-adapter=swiftshader']),
];

function onPath(name: string): string | undefined {
  const found = spawnSync(process.platform === 'win32' ? 'where' : 'which', [name], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.split(/\r?\n/)[0] : undefined;
}

/** The path of a browser that is already on this machine, or undefined. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM;
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM is ${named}, but there is no such file`);
    return named;
  }
  for (const name of NAMES) {
    const path = onPath(name);
    if (path) return path;
  }
  for (const path of [...MAC, chromium.executablePath()]) if (existsSync(path)) return path;
  return undefined;
}

/** As `findChromium`, but installs a browser where none is found, and says what it does. */
export function ensureChromium(): string {
  const found = findChromium();
  if (found) return found;
  if (process.platform === 'linux' && process.getuid?.() === 0 && onPath('apt-get')) {
    console.log('No Chrome or Chromium found: installing Debian package "chromium" with apt-get.');
    execFileSync('apt-get', ['update'], { stdio: 'inherit' });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { stdio: 'inherit' });
  } else {
    console.log('No Chrome or Chromium found: downloading the one of Playwright.');
    execFileSync('npx', ['playwright', 'install', 'chromium'], { stdio: 'inherit' });
  }
  const installed = findChromium();
  if (!installed)
    throw new Error('No Chrome or Chromium: install one, or name it in the environment as CHROMIUM=/path/to/chrome');
  return installed;
}
