import { expect, type Page, test } from '@playwright/test';
import { goTo, ready, SHADERS, SLOW, trainButton } from './helpers.ts';

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

test('no WebGPU where the link wants it: the page says so, and how to switch it on here', async ({
  page,
}) => {
  await changeWorker(page, 'delete WorkerNavigator.prototype.gpu;');
  await page.goto(SHADERS);
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
  await page.goto(SHADERS);
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
  await page.goto(SHADERS);
  await expectHelp(
    page,
    'The graphics adapter allows too little',
    /4 storage buffers a shader; 8 are needed/,
  );
});

test('no WebGPU: the studio goes on with the processor, says why, and how WebGPU is switched on', async ({
  page,
}) => {
  await changeWorker(page, 'delete WorkerNavigator.prototype.gpu;');
  await page.goto('./?model=tiny');
  const notice = page.getByRole('region', { name: 'Engine', exact: true });
  await expect(notice).toContainText('This browser offers no WebGPU to this page. The processor computes');
  await ready(page);
  await expect(page.getByRole('banner')).toContainText(/Processor \d threads/);
  await notice.getByRole('button', { name: 'How to switch WebGPU on' }).click();
  await page.locator('summary').filter({ hasText: 'How to switch WebGPU on' }).click();
  await expect(page.getByRole('region', { name: 'Chrome (this browser)' })).toContainText(
    'chrome://flags/#enable-unsafe-webgpu',
  );
  await notice.getByRole('button', { name: 'Dismiss' }).click();
  await page.reload();
  await ready(page);
  await goTo(page, 'Model');
  await expect(page.getByRole('region', { name: 'This device' })).toContainText('offers no WebGPU');
  await expect(notice).toHaveCount(0);
});

test('an adapter in software: both engines take steps of the task, the faster one goes on, and a press changes it', async ({
  page,
}) => {
  test.skip(
    (process.env.PRELUDE_ADAPTER ?? 'swiftshader') !== 'swiftshader',
    'needs an adapter that is software',
  );
  await page.goto('./?model=tiny');
  const notice = page.getByRole('region', { name: 'Engine', exact: true });
  await expect(notice).toContainText('is likely to be faster', { timeout: SLOW });
  // Which one is faster is this machine's affair.
  await expect(notice).toContainText(/^On (the processor|WebGPU).* a step takes [\d.]+ m?s; on /, {
    timeout: SLOW,
  });
  await goTo(page, 'Model');
  const rows = page.getByRole('table', { name: /^What a step takes/ }).locator('tbody tr');
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText(/Processor.*\d m?s3$/);
  // Measured once a visit.
  await page.reload();
  await expect(rows).toHaveCount(2);
  await ready(page);
  await goTo(page, 'Model');
  // The person's word counts more; which way depends on who won.
  const banner = page.getByRole('banner');
  const won = (await banner.textContent())!.includes('Processor') ? 'onnx' : 'webgpu';
  const [press, name, engine] =
    won === 'onnx'
      ? ['Use the graphics device', 'WebGPU', 'webgpu']
      : ['Use the processor', 'Processor', 'onnx'];
  await page.getByRole('region', { name: 'This device' }).getByRole('button', { name: press }).click();
  await expect(banner).toContainText(name!, { timeout: SLOW });
  await expect(page).toHaveURL(new RegExp(`engine=${engine}`));
  await expect(notice).toHaveCount(0);
});
