import { expect, test } from '@playwright/test';
import { chromiumArgs, findChromium } from '../scripts/chromium.ts';
import {
  alerts,
  chartPoints,
  openSample,
  openStudio,
  runDone,
  SLOW,
  setEvalEvery,
  setRecipe,
  startTraining,
  TINY_STUDIO,
  train,
} from './helpers.ts';

// A browser that lost its GPU twice keeps pages away from it for two minutes; here it is lost on purpose.
test.use({
  launchOptions: {
    executablePath: findChromium(),
    args: [...chromiumArgs, '--disable-domain-blocking-for-3d-apis', '--disable-gpu-process-crash-limit'],
  },
});

test('the graphics device lost in the middle of a run: it goes on by itself, and ends as if nothing had been', async ({
  page,
  browser,
}) => {
  const STEPS = 80;
  await openStudio(page, TINY_STUDIO);
  await openSample(page, 'Restaurant reviews');
  await setEvalEvery(page, 10);
  await setRecipe(page, { Steps: STEPS, Batch: 4, Seed: 5 });
  await startTraining(page);
  await expect
    .poll(async () => (await chartPoints(page, 'Accuracy on dev')).length, { timeout: SLOW })
    .toBeGreaterThan(0);

  const session = await browser.newBrowserCDPSession();
  await session.send('Browser.crashGpuProcess');
  await expect(
    page.getByText(/The graphics device was lost\. The run went on by itself from step \d+\./),
  ).toBeVisible({
    timeout: SLOW,
  });
  await runDone(page);
  const broken = await chartPoints(page, 'Loss');
  expect(broken.at(-1)!.step).toBe(STEPS);
  expect((await chartPoints(page, 'Accuracy on dev')).map(({ step }) => step)).toEqual(
    Array.from({ length: STEPS / 10 }, (_, i) => 10 * (i + 1)),
  );

  await train(page);
  expect(await chartPoints(page, 'Loss')).toEqual(broken);
  await expect(alerts(page)).toHaveCount(0);
});

test('the graphics device lost while nothing runs: the next run finds another', async ({ page, browser }) => {
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { Steps: 4, Batch: 4 });
  const session = await browser.newBrowserCDPSession();
  await session.send('Browser.crashGpuProcess');
  // The page hears of it a moment later.
  await page.waitForTimeout(2000);
  await train(page);
  await expect(alerts(page)).toHaveCount(0);
});
