/**
 * `npx tsx e2e/harness/recordRun.ts [sample] [recipe changes as JSON]` trains once in a real Chromium with the real engine and
 * writes `public/recordings/default.json`, the run that plays in the scene until one's own begins.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { chromiumArgs, ensureChromium } from '../../scripts/chromium.ts';
import type { record } from './record.ts';

async function main() {
  const [sample = 'fact-or-opinion', changes = '{}'] = process.argv.slice(2);
  // Built, not served from the sources: a file saved meanwhile would reload the page and lose the run.
  const outDir = resolve('.cache/record');
  await build({
    root: 'e2e/harness',
    publicDir: resolve('public'),
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: resolve('e2e/harness/record.html') } },
    logLevel: 'error',
    configFile: resolve('vite.config.ts'),
  });
  const server = await preview({ build: { outDir }, preview: { port: 4199 }, logLevel: 'error' });
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: chromiumArgs });
  try {
    const page = await browser.newPage();
    page.on('console', (message) => console.log(message.text()));
    await page.goto(`${server.resolvedUrls!.local[0]}record.html`);
    await page.waitForFunction(() => 'record' in window);
    const recording = await page.evaluate(
      ([id, recipe]) => (window as unknown as { record: typeof record }).record(id!, JSON.parse(recipe!)),
      [sample, changes],
    );
    mkdirSync('public/recordings', { recursive: true });
    writeFileSync('public/recordings/default.json', JSON.stringify(recording));
    console.log(
      `public/recordings/default.json: ${recording.frames.length} frames of ${recording.steps.length} steps`,
    );
  } finally {
    await browser.close();
    await server.close();
  }
}

void main();
