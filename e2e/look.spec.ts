import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import {
  goTo,
  loadModel,
  measure,
  openSettings,
  openStudio,
  SLOW,
  type Station,
  setRecipe,
  TINY,
  train,
} from './helpers.ts';

const STATIONS: Station[] = ['Model', 'Data', 'Tune', 'Results', 'Prompt'];
const SCREENS = 'test-results/screens';

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/** Every station in one look, pictures of them for people to look at. */
async function look(page: Page, theme: 'light' | 'dark', name: string): Promise<void> {
  for (const station of STATIONS)
    await test.step(`${station}, ${theme}, ${name}`, async () => {
      await goTo(page, station);
      // Charts and lazily loaded panels draw a moment later.
      await page.waitForTimeout(300);
      for (const [width, height] of [
        [1920, 1080],
        [1280, 800],
      ] as const) {
        await page.setViewportSize({ width, height });
        await page.screenshot({
          path: join(SCREENS, `${station.toLowerCase()}-${name}-${theme}-${width}.png`),
          animations: 'disabled',
        });
      }
      expect.soft(await violations(page)).toEqual([]);
      // Nothing is wider than the screen.
      expect.soft(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1280);
    });
}

test('every station before and after a run, light and dark: axe finds nothing serious', async ({ page }) => {
  test.setTimeout(420_000);
  await page.emulateMedia({ colorScheme: 'light' });
  await openStudio(page);
  await look(page, 'light', 'new');
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await look(page, 'dark', 'new');
  await loadModel(page, TINY);
  await setRecipe(page, { Steps: 40, Batch: 8 });
  await train(page);
  await measure(page);
  await expect(page.getByText(/the untuned model [\d.]+ %/)).toBeVisible({ timeout: SLOW });
  await look(page, 'dark', 'trained');
  await page.getByRole('button', { name: 'Light theme' }).click();
  await look(page, 'light', 'trained');

  const dialog = await openSettings(page);
  expect.soft(await violations(page)).toEqual([]);
  await page.screenshot({ path: join(SCREENS, 'settings-light-1280.png'), animations: 'disabled' });
  await dialog.getByRole('button', { name: 'Done' }).click();
});

test('on a phone: the middle comes first, Train stays at the bottom edge, nothing is too wide', async ({
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openStudio(page);
  for (const station of STATIONS) {
    await goTo(page, station);
    await page.waitForTimeout(300);
    await page.screenshot({
      path: join(SCREENS, `${station.toLowerCase()}-phone-light-390.png`),
      fullPage: true,
    });
    expect
      .soft(await page.evaluate(() => document.documentElement.scrollWidth), station)
      .toBeLessThanOrEqual(390);
  }
  await goTo(page, 'Tune');
  await expect(page.getByRole('button', { name: 'Train', exact: true })).toBeInViewport();
});
