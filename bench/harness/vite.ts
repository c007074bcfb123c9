/** One Vite server for an entry module, without the project's config file: what it does is all written here. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type Plugin, type ViteDevServer } from 'vite';
import { isRunning, ROOT } from '../../scripts/processes.ts';

const CACHES = join(ROOT, 'node_modules', '.cache', 'harness');
let made = 0;

/** Vite may still be writing there for a moment after it is closed: a folder that fills again is emptied again. */
const remove = (folder: string) =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });

/** A cache of its own, since two runs at the same time would rewrite each other's packages; those of ended processes go. */
function makeCache(): string {
  mkdirSync(CACHES, { recursive: true });
  for (const name of readdirSync(CACHES))
    if (!isRunning(Number.parseInt(name, 10))) remove(join(CACHES, name));
  return join(CACHES, `${process.pid}-${made++}`);
}

/**
 * Vite's client opens a socket as soon as a module imports it, which any module with an import by variable does (onnxruntime-web), and
 * here is no socket: it would fail the page. Left is the one function that those modules call.
 */
const quietClient: Plugin = {
  name: 'quiet-client',
  enforce: 'pre',
  load: (id) =>
    id.includes('/vite/dist/client/client.mjs') ? 'export const injectQuery = (url) => url;' : null,
};

export interface ModuleServer {
  vite: ViteDevServer;
  /** Ends it and removes its cache. */
  close(): Promise<void>;
}

/** `forPage`: modules go to a browser, which needs packages bundled first; Node loads them itself. */
export async function createModuleServer(entry: string, forPage: boolean): Promise<ModuleServer> {
  const cacheDir = makeCache();
  const vite = await createServer({
    configFile: false,
    root: ROOT,
    cacheDir,
    appType: 'custom',
    logLevel: 'warn',
    // Packages found only while running would change under the run: crawl all that an entry can reach before.
    optimizeDeps: forPage ? { entries: [entry, 'src/worker/*.ts'] } : { noDiscovery: true, include: [] },
    plugins: [quietClient],
    worker: { format: 'es' },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  return {
    vite,
    async close() {
      await vite.close();
      remove(cacheDir);
    },
  };
}
