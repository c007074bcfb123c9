import { expect, type Page, test } from '@playwright/test';
import {
  alerts,
  chartPoints,
  file,
  goTo,
  openSample,
  openStudio,
  openTable,
  runDone,
  SLOW,
  setEvalEvery,
  setRecipe,
  startTraining,
  stepNow,
  TINY,
  TINY_STUDIO,
  train,
} from './helpers.ts';
import { csv, topicRows } from './tables.ts';

/** Long enough that nobody closes the tab too late, short enough to be waited for. */
const STEPS = 80;
const RECIPE = { Steps: STEPS, Batch: 4, Seed: 5 };

/** Presses Train and waits for the first checkpoint, which is made with the first figure of dev. */
async function trainToCheckpoint(page: Page): Promise<number> {
  await startTraining(page);
  await expect
    .poll(async () => (await chartPoints(page, 'Accuracy on dev')).length, { timeout: SLOW })
    .toBeGreaterThan(0);
  return stepNow(page);
}

test('a tab closed in the middle of a run: the run is offered again, and ends as if never stopped', async ({
  context,
}) => {
  const page = await context.newPage();
  await openStudio(page, TINY_STUDIO);
  await openSample(page, 'Restaurant reviews');
  await setEvalEvery(page, 10);
  await setRecipe(page, RECIPE);
  await trainToCheckpoint(page);
  await page.close({ runBeforeUnload: false });

  // Another day: the default model and sample are there, and the run of the other ones is offered.
  const later = await context.newPage();
  await openStudio(later);
  await expect(later.getByText(new RegExp(`waits at step \\d+ of ${STEPS}`)).first()).toBeVisible();
  await later.getByRole('button', { name: 'Go on with it' }).click();
  await runDone(later);
  await goTo(later, 'Model');
  await expect(later.getByRole('article', { name: TINY })).toContainText('Loaded');
  await goTo(later, 'Data');
  await expect(later.locator('.page-head')).toContainText('Restaurant reviews');
  await goTo(later, 'Tune');
  const interrupted = await chartPoints(later, 'Loss');
  expect(interrupted.at(-1)!.step).toBe(STEPS);
  expect((await chartPoints(later, 'Accuracy on dev')).map(({ step }) => step)).toEqual(
    Array.from({ length: STEPS / 10 }, (_, i) => 10 * (i + 1)),
  );

  // The same recipe without a break gives the same numbers.
  await setEvalEvery(later, 10);
  await setRecipe(later, RECIPE);
  await train(later);
  expect(await chartPoints(later, 'Loss')).toEqual(interrupted);
  await expect(alerts(later)).toHaveCount(0);
});

test('a run on a table of one’s own waits for that table', async ({ context }) => {
  const table = file('topics.csv', csv(topicRows()));
  const page = await context.newPage();
  await openStudio(page, TINY_STUDIO);
  await openTable(page, table);
  await setEvalEvery(page, 5);
  await setRecipe(page, RECIPE);
  await trainToCheckpoint(page);
  await page.close({ runBeforeUnload: false });

  const later = await context.newPage();
  await openStudio(later);
  await later.getByRole('button', { name: 'Go on with it' }).click();
  // A browser does not keep the files of a person: which one is wanted is said, and nothing is lost.
  await expect(alerts(later)).toContainText('Open "topics.csv" on the Data station', { timeout: SLOW });
  await openTable(later, table);
  await goTo(later, 'Tune');
  await later.getByRole('button', { name: 'Go on with it' }).click();
  await runDone(later);
  expect((await chartPoints(later, 'Loss')).at(-1)!.step).toBe(STEPS);
});

test('leaving while a run goes asks first; a paused run lets go', async ({ page }) => {
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { Steps: 5000, Batch: 4 });
  await startTraining(page);
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBeGreaterThan(2);

  const asked = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();
  const before = await stepNow(page);
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBeGreaterThan(before);

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByRole('button', { name: 'Go on', exact: true })).toBeVisible({ timeout: SLOW });
  const closed = page.waitForEvent('close');
  await page.close({ runBeforeUnload: true });
  await closed;
});
