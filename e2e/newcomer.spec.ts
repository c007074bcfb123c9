/** `docs/teaching/newcomer.md`, followed step by step by somebody whose browser has never been here; the times are printed. */
import { expect, type Page, test } from '@playwright/test';
import {
  bytesOf,
  chartPoints,
  runDone,
  runRows,
  SLOW,
  stepNow,
  trainButton,
  tryText,
  watchPage,
} from './helpers.ts';

/** Says when each part of the script was over, in seconds since the page was asked for. */
function stopwatch(): (what: string) => void {
  const began = performance.now();
  return (what) => console.log(`${((performance.now() - began) / 1000).toFixed(1)} s: ${what}`);
}

async function takeTour(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Take the tour' }).click();
  const tour = page.getByRole('region', { name: 'Tour' });
  for (let stop = 1; stop <= 8; stop++) {
    await expect(tour).toContainText(`${stop} of 8`);
    if (stop < 8) await page.keyboard.press('ArrowRight');
  }
  await page.keyboard.press('Escape');
  await expect(tour).toHaveCount(0);
}

test('a newcomer’s quarter of an hour, from a fresh profile', async ({ page }) => {
  test.setTimeout(300_000);
  const { problems } = watchPage(page);
  const say = stopwatch();

  await page.goto('./?model=tiny&steps=60');
  await expect(page).toHaveURL(/#\/tune$/);
  await expect(page.getByRole('group', { name: /, frozen/ })).toBeVisible();
  say('the picture stands there');
  await takeTour(page);
  say('the tour is over');

  await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });
  await expect(page.getByText(/learned 1,280/)).toBeVisible({ timeout: SLOW });
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: SLOW });
  say('Train can be pressed, and the dashed lines are measured');
  await page.keyboard.press('t');
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBeGreaterThan(0);
  say('the first step of the run');
  await runDone(page);
  say('the run of 60 steps is done');
  await expect(runRows(page).first()).toContainText(/\d %\s*\(\d+ to \d+\)/, { timeout: SLOW });
  expect((await chartPoints(page, 'Accuracy on dev')).length).toBeGreaterThan(1);
  say('and its test figure stands in the list');

  await tryText(page, 'I have never had a better soup.');
  await page.getByRole('button', { name: 'now break it' }).click();
  const broken = page.getByRole('group', { name: 'Now break it' });
  await expect(broken.or(page.getByText('No watched row is answered right yet. Train first.'))).toBeVisible();
  if (await broken.isVisible()) await broken.getByRole('button', { name: 'in capitals' }).click();
  say('a sentence of one’s own has its answer');

  await page.getByRole('button', { name: 'Guess, then press' }).click();
  await expect(runRows(page)).toHaveCount(2, { timeout: SLOW });
  await expect(runRows(page).first()).toContainText('length 1');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Stop', exact: true })).toBeDisabled({ timeout: SLOW });
  say('the second run says what differs');

  await page
    .getByRole('navigation', { name: 'Stations' })
    .getByRole('link', { name: /^Results/ })
    .click();
  await page.getByRole('button', { name: /Whose answers$/ }).click();
  await page
    .getByRole('option', { name: /^Fact or opinion\b/ })
    .last()
    .click();
  await expect(page.getByText(/right on 120 rows never seen/)).toBeVisible({ timeout: SLOW });
  await page.locator('.confusion-cell:not([data-right])').first().click();
  await expect(
    page.getByRole('treegrid', { name: 'Rows and answers' }).or(page.getByText(/No row matches/)),
  ).toBeVisible();
  say('results, and the rows of a mistake');

  await page
    .getByRole('navigation', { name: 'Stations' })
    .getByRole('link', { name: /^Prompt/ })
    .click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download JSON' }).click();
  const { length } = await bytesOf(await download);
  expect(length).toBeLessThan(20_000);
  say(`the prompt is a file of ${length} bytes`);
  expect(problems).toEqual([]);
});
