/** Runs a job in Chromium, over a Vite server of its own. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright';
import type { ViteDevServer } from 'vite';
import { chromiumArgsFor, ensureChromium } from '../../scripts/chromium.ts';
import { dawnEnvironment } from '../../scripts/dawn.ts';
import { LIST_PATH, serveFolders } from './files.ts';
import type { Job } from './types.ts';
import { createModuleServer } from './vite.ts';

const PAGE =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Prelude harness</title><link rel="icon" href="data:,"></head></html>';

async function listen(vite: ViteDevServer, folders: Record<string, string>): Promise<Server> {
  const { middleware } = serveFolders(folders);
  const server = createServer((request, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html');
      response.end(PAGE);
      return;
    }
    void middleware(request, response, () =>
      vite.middlewares(request, response, () => {
        response.statusCode = 404;
        response.end('not found');
      }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

/** Rejects when `signal` is aborted, with its reason; all that was started is closed either way. */
export async function runInBrowser(
  job: Job,
  onMessage: (message: unknown) => void,
  signal: AbortSignal,
): Promise<unknown> {
  const executablePath = ensureChromium();
  const modules = await createModuleServer(job.entry, true);
  let server: Server | undefined;
  let browser: Browser | undefined;
  try {
    server = await listen(modules.vite, job.folders);
    browser = await chromium.launch({
      executablePath,
      args: chromiumArgsFor(job.adapter),
      env: { ...process.env, ...(job.adapter === 'lavapipe' ? dawnEnvironment(job.adapter) : {}) },
    });
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      page.on('pageerror', reject);
      page.on('crash', () =>
        reject(new Error('The page crashed: out of memory, or the graphics driver failed.')),
      );
      browser?.on('disconnected', () => reject(new Error('The browser ended unexpectedly.')));
    });
    failed.catch(() => {});
    page.on('console', (message) => {
      if (message.type() !== 'debug') console.error(`page: ${message.text()}`);
    });
    await page.exposeFunction('preludeSend', onMessage);
    signal.throwIfAborted();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // As text: a function would travel with helpers of whatever compiled this file.
    const call = [job.entry, LIST_PATH, job.args ?? null].map((value) => JSON.stringify(value)).join(', ');
    const run = page.evaluate(`import('/bench/harness/page.ts').then((page) => page.runEntry(${call}))`);
    run.catch(() => {});
    return await Promise.race([run, failed]);
  } finally {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await modules.close();
  }
}
