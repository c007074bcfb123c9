import { expect, type Page, test } from '@playwright/test';
import { SLOW, trainButton } from './helpers.ts';

/**
 * Puts `words` before all else that the engine's worker runs, where its `navigator.gpu` is: a stand-in for browsers and
 * adapters that this machine does not have.
 */
async function changeWorker(page: Page, words: string): Promise<void> {
  await page.route(/worker[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${words}\n${await response.text()}` });
  });
}

async function expectHelp(page: Page, title: string, message: RegExp): Promise<void> {
  const main = page.getByRole('main');
  await expect(main.getByRole('heading', { level: 1, name: title })).toBeVisible({ timeout: SLOW });
  await expect(main).toContainText(message);
  // This browser's own steps come first.
  const first = main.getByRole('region').first();
  await expect(first).toHaveAccessibleName('Chrome (this browser)');
  await expect(first.getByRole('listitem')).not.toHaveCount(0);
  await expect(first).toContainText('chrome://flags/#enable-unsafe-webgpu');
  for (const name of ['Edge', 'Firefox', 'Safari'])
    await expect(main.getByRole('region', { name, exact: true })).toBeVisible();
  await expect(main.getByRole('button', { name: 'Look again' })).toBeEnabled();
}

test('no WebGPU: the page says so, and how to switch it on here', async ({ page }) => {
  await changeWorker(page, 'delete WorkerNavigator.prototype.gpu;');
  await page.goto('./');
  await expectHelp(
    page,
    'This browser has no WebGPU',
    /offers no WebGPU to this page.*over https or from localhost/,
  );
});

test('no adapter: said as that; a second look finds one', async ({ page }) => {
  await changeWorker(
    page,
    `{ const real = GPU.prototype.requestAdapter; let looks = 0;
       GPU.prototype.requestAdapter = async function (...a) { return looks++ === 0 ? null : real.apply(this, a); }; }`,
  );
  await page.goto('./');
  await expectHelp(
    page,
    'WebGPU is here, but it finds no graphics adapter',
    /Switch on hardware acceleration/,
  );
  await page.getByRole('button', { name: 'Look again' }).click();
  await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });
});

test('an adapter that allows too little: which limit, and what to do', async ({ page }) => {
  await changeWorker(
    page,
    `Object.defineProperty(GPUSupportedLimits.prototype, 'maxStorageBuffersPerShaderStage', { get: () => 4 });`,
  );
  await page.goto('./');
  await expectHelp(
    page,
    'The graphics adapter allows too little',
    /4 storage buffers a shader; 8 are needed/,
  );
});
