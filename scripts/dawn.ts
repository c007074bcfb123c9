/** What Dawn, WebGPU for Node (package `webgpu`), needs from the environment to find a Vulkan driver on this machine. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type AdapterName, findChromium } from './chromium.ts';

const DRIVER_FOLDERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
const LOADER = 'libvulkan.so.1';
const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];

const driverFiles = (): string[] =>
  DRIVER_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name)),
  );

/** Where a browser keeps its software driver and, for machines without Vulkan, its own loader. */
function browserFolder(): string | undefined {
  const found = findChromium();
  const folders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];
  if (found) folders.unshift(dirname(realpathSync(found)));
  return folders.find((folder) => existsSync(join(folder, 'vk_swiftshader_icd.json')));
}

/**
 * The variables to add before Node starts with Dawn; the loader reads them once. Those that are set already stay. Empty except
 * on Linux: elsewhere Dawn speaks Metal or Direct3D, and the software adapters do not apply.
 * @throws when `lavapipe` is asked for and its driver is not installed.
 */
export function dawnEnvironment(adapter: AdapterName): Record<string, string> {
  const { env, platform } = process;
  if (platform !== 'linux') return {};
  const added: Record<string, string> = {};
  if (!env.XDG_RUNTIME_DIR) added.XDG_RUNTIME_DIR = '/tmp';
  const browser = browserFolder();
  const hasLoader = LIBRARY_FOLDERS.some((folder) => existsSync(join(folder, LOADER)));
  if (!hasLoader && browser && existsSync(join(browser, LOADER)))
    added.LD_LIBRARY_PATH = [env.LD_LIBRARY_PATH, browser].filter(Boolean).join(delimiter);
  if (env.VK_ICD_FILENAMES || env.VK_DRIVER_FILES) return added;
  if (adapter === 'lavapipe') {
    const driver = driverFiles().find((path) => /lvp_icd/.test(path));
    if (!driver)
      throw new Error(
        `No lavapipe driver in ${DRIVER_FOLDERS.join(', ')}: install Debian's package mesa-vulkan-drivers, or name its lvp_icd.json in VK_ICD_FILENAMES.`,
      );
    added.VK_ICD_FILENAMES = driver;
  } else if (browser && (adapter === 'swiftshader' || driverFiles().length === 0)) {
    added.VK_ICD_FILENAMES = join(browser, 'vk_swiftshader_icd.json');
  }
  return added;
}
