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
 * Which WebGPU to use: `swiftshader` is Chromium's software adapter, the same everywhere; `default` the machine's own GPU;
 * `lavapipe` Mesa's software adapter, whose driver must be installed.
 */
export type AdapterName = 'swiftshader' | 'default' | 'lavapipe';
export const ADAPTERS: AdapterName[] = ['swiftshader', 'default', 'lavapipe'];

/** Flags that give a headless WebGPU on any machine. */
export function chromiumArgsFor(adapter: AdapterName): string[] {
  return [
    '--no-sandbox',
    '--disable-quic',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--enable-unsafe-webgpu',
    ...(adapter === 'swiftshader'
      ? ['--use-webgpu-adapter=swiftshader']
      : ['--enable-features=Vulkan', '--ignore-gpu-blocklist']),
  ];
}

/** `PRELUDE_ADAPTER` in the environment, else the software adapter. */
export function adapterFromEnvironment(): AdapterName {
  const named = process.env.PRELUDE_ADAPTER;
  if (!named) return 'swiftshader';
  if (!(ADAPTERS as string[]).includes(named))
    throw new Error(`PRELUDE_ADAPTER is ${named}; it can be ${ADAPTERS.join(', ')}`);
  return named as AdapterName;
}

export const chromiumArgs: string[] = chromiumArgsFor(adapterFromEnvironment());

const INSTALL_LIMIT_MS = 5 * 60_000;

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

function install(words: string, commands: string[][]): boolean {
  console.log(`No Chrome or Chromium found: ${words}.`);
  try {
    for (const [command, ...args] of commands)
      execFileSync(command, args, {
        stdio: 'inherit',
        timeout: INSTALL_LIMIT_MS,
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        shell: process.platform === 'win32',
      });
    return true;
  } catch (error) {
    console.log(`That did not work: ${(error as Error).message}`);
    return false;
  }
}

/** As `findChromium`, but installs a browser where none is found, and says what it does. */
export function ensureChromium(): string {
  const found = findChromium();
  if (found) return found;
  const root = process.platform === 'linux' && process.getuid?.() === 0;
  const installed =
    (root &&
      onPath('apt-get') &&
      install('installing Debian\'s package "chromium" with apt-get', [
        ['apt-get', 'update'],
        ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'],
      ]) &&
      findChromium()) ||
    (install("downloading Playwright's own", [
      ['npx', 'playwright', 'install', ...(root ? ['--with-deps'] : []), 'chromium'],
    ]) &&
      findChromium());
  if (!installed)
    throw new Error(
      'No Chrome or Chromium: install one, or name it in the environment as CHROMIUM=/path/to/chrome',
    );
  return installed;
}
