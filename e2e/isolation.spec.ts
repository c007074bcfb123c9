/** The built page on a static host that sends no headers of its own. */
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT } from '../scripts/processes.ts';
import { ready, SLOW, watchPage } from './helpers.ts';
import { serveFolder } from './shipped.ts';

test('a plain static host: the page loads once more by itself and then has threads', async ({ page }) => {
  const host = await serveFolder(join(ROOT, 'dist'));
  const { problems } = watchPage(page);
  let loads = 0;
  page.on('load', () => loads++);
  await page.goto(`${host.url}?engine=onnx&model=tiny`);
  // Nothing is evaluated before: for the page that would be a person's press, after which it does not load again.
  await expect.poll(() => loads, { timeout: SLOW }).toBe(2);
  expect(await page.evaluate(() => window.crossOriginIsolated)).toBe(true);
  await ready(page);
  await expect(page.getByRole('banner')).toContainText(/Processor \d+ threads/);
  expect(loads).toBe(2);
  // The next visit needs no second load.
  await page.reload();
  await ready(page);
  expect(await page.evaluate(() => window.crossOriginIsolated)).toBe(true);
  expect(loads).toBe(3);
  expect(problems).toEqual([]);
  host.close();
});
