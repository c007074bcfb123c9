import { expect, type Locator, type Page, test } from '@playwright/test';
import {
  alerts,
  chartPoints,
  dataSummary,
  expectError,
  figure,
  file,
  goTo,
  openSample,
  openSettings,
  openStudio,
  runRows,
  SLOW,
  select,
  setNumber,
  setRecipe,
  startTraining,
  stepNow,
  TINY,
  TINY_STUDIO,
  train,
  trainButton,
  watchPage,
} from './helpers.ts';
import { csv, topicRows } from './tables.ts';

const SMALL_RUN = { Steps: 24, Batch: 8 };

test('opening lands on Tune with a model and a sample; Train can be pressed within seconds', async ({
  page,
}) => {
  const { problems } = watchPage(page);
  await page.goto('./');
  await expect(page).toHaveURL(/#\/tune$/);
  await expect(page.getByText('press Train for yours')).toBeVisible();
  await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });
  await expect(page.getByRole('region', { name: 'What goes in' })).toContainText(
    /\d+ train, \d+ dev, \d+ test/,
  );
  await expect(page.getByRole('link', { name: /^Model/ })).toContainText('ready');
  await expect(page.getByRole('link', { name: /^Data/ })).toContainText('ready');
  expect(problems).toEqual([]);
});

test('a sample one press away; the loss falls, and a pinned text has its answer', async ({ page }) => {
  await openStudio(page, TINY_STUDIO);
  await openSample(page, 'Restaurant reviews');
  await expect(dataSummary(page)).toContainText('2 labels');
  await setRecipe(page, { Steps: 40, Batch: 16 });
  const own = 'The soup was cold and nobody came to our table for an hour.';
  await page.getByRole('textbox', { name: 'Your text', exact: true }).fill(own);
  await page.getByRole('button', { name: 'pin this' }).click();
  const pinned = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: own }) });
  await expect(pinned).toBeVisible();
  await train(page);
  await expect(pinned).toContainText(/\d+/, { timeout: SLOW });
  const losses = (await chartPoints(page, 'Loss')).map(({ value }) => value);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)));
  // The test figure comes by itself after the run.
  await expect(runRows(page).first()).toContainText(/\(\d+ to \d+\)/, { timeout: SLOW });

  await test.step('the loss smoothed over more steps, and not at all', async () => {
    const shown = async () => (await chartPoints(page, 'Loss')).map(({ value }) => value);
    const overTen = await shown();
    for (const choice of ['smoothed over 50 steps', 'not smoothed']) {
      await select(page, 'Smoothing of the loss', choice);
      await expect.poll(shown).not.toEqual(overTen);
      // A mean begins with the first loss, however long it is.
      expect((await shown())[0]).toBe(overTen[0]);
    }
  });
  await test.step('now break it: the surest watched row, changed by a press, and as it was', async () => {
    await page.getByRole('button', { name: 'now break it' }).click();
    const ways = page.getByRole('group', { name: 'Now break it' });
    const text = page.getByRole('textbox', { name: 'Your text', exact: true });
    await expect(ways).toContainText(/It says (positive|negative)\./);
    const whole = await text.inputValue();
    await ways.getByRole('button', { name: 'in capitals' }).click();
    await expect(text).toHaveValue(whole.toUpperCase());
    await ways.getByRole('button', { name: 'as it was' }).click();
    await expect(text).toHaveValue(whole);
    await expect(ways).toHaveCount(0);
  });
});

test('pause, one step, go on, stop; the next run says what differs', async ({ page }) => {
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { Steps: 5000, Batch: 8 });
  await startTraining(page);
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBeGreaterThan(2);
  await page.getByRole('button', { name: 'Pause' }).click();
  const goOn = page.getByRole('button', { name: 'Go on', exact: true });
  await expect(goOn).toBeVisible({ timeout: SLOW });
  // A paused run tells the beats of the step it stands at.
  await expect(page.getByRole('list', { name: /^Step \d+$/ })).toBeVisible();
  const paused = await stepNow(page);
  const oneStep = page.getByRole('button', { name: 'One step' });
  const beat = page.locator('.beats [aria-current="step"]');
  await oneStep.click();
  await expect(beat).toHaveCount(1, { timeout: SLOW });
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBe(paused + 1);
  await expect(page.getByRole('list', { name: `Step ${paused + 1}` })).toContainText('backward: norm');
  await test.step('with less motion: the same numbers, no beats', async () => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await oneStep.click();
    await expect(page.getByRole('list', { name: `Step ${paused + 2}` })).toContainText('backward: norm', {
      timeout: SLOW,
    });
    await expect(beat).toHaveCount(0);
  });
  await test.step('what is inside a tile', async () => {
    const tile = page.getByRole('slider', { name: 'Virtual token to look inside' });
    await tile.focus();
    await page.keyboard.press('Home');
    await expect(page.getByRole('heading', { name: 'Inside tile 1' })).toBeVisible();
    await expect(
      page.getByText(/^cosine .+ a random vector’s best is .+ Moved .+ from its start/),
    ).toBeVisible({
      timeout: SLOW,
    });
  });
  await goOn.click();
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBeGreaterThan(paused + 4);
  // What the prompt answers follows the run.
  await expect(page.getByRole('heading', { name: /^Soft prompt, step \d+$/ })).toBeVisible();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  // Stopped is not lost: it can be taken up where it was.
  await expect(page.getByText(/waits at step \d+ of 5,000; nothing up to there is lost/)).toBeVisible({
    timeout: SLOW,
  });
  const stoppedAt = await stepNow(page);
  await page.getByRole('button', { name: 'Go on with it' }).click();
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBeGreaterThan(stoppedAt);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });

  await setRecipe(page, { Steps: 3, Seed: 11 });
  await train(page);
  await expect(runRows(page)).toHaveCount(2);
  await expect(runRows(page).first()).toContainText('seed 11');
  await expect(alerts(page)).toHaveCount(0);
});

test('the recipe: the paper’s values with an undo, every value in the dialog', async ({ page }) => {
  await openStudio(page);
  const panel = page.getByRole('region', { name: 'What goes in' });
  const steps = panel.getByRole('textbox', { name: 'Steps' });
  const before = await steps.inputValue();
  await panel.getByRole('button', { name: 'paper’s values' }).click();
  await expect(steps).toHaveValue('30000');
  await page.getByRole('region', { name: 'Messages' }).getByRole('button', { name: 'Undo' }).click();
  await expect(steps).toHaveValue(before);

  const dialog = await openSettings(page);
  await select(dialog, 'Optimizer', 'AdamW');
  await setNumber(dialog, 'Beta 1', 0.8);
  await setNumber(dialog, 'Clip the gradient’s norm to', 1);
  await select(dialog, 'Loss over', 'the whole vocabulary');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(panel).toContainText('AdamW, constant rate; loss over the vocabulary.');
  await expect(panel.getByRole('textbox', { name: 'Learning rate' })).toHaveValue('0.05');
  await panel.getByRole('textbox', { name: 'Learning rate' }).fill('');
  await panel.getByRole('textbox', { name: 'Learning rate' }).press('Tab');
  await expect(panel.getByRole('textbox', { name: 'Learning rate' })).toHaveValue('0.05');
});

test('the same seed gives the same losses twice, another seed others', async ({ page }) => {
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { ...SMALL_RUN, Seed: 3 });
  await train(page);
  const first = await chartPoints(page, 'Loss');
  expect(first.length).toBeGreaterThan(10);
  await train(page);
  expect(await chartPoints(page, 'Loss')).toEqual(first);
  await setRecipe(page, { Seed: 4 });
  await train(page);
  expect(await chartPoints(page, 'Loss')).not.toEqual(first);
});

test('a loss that is no number stops the run at its last good checkpoint and says what to try', async ({
  page,
}) => {
  await openStudio(page, TINY_STUDIO);
  const dialog = await openSettings(page);
  await select(dialog, 'Optimizer', 'SGD with momentum');
  await setNumber(dialog, 'Learning rate', 1e39);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await setRecipe(page, SMALL_RUN);
  await trainButton(page).click();
  await expectError(
    page,
    /not a finite number\. The run went back to step 0\./,
    undefined,
    /smaller learning rate/,
  );
  await expect(page.getByRole('table', { name: 'Runs' })).toContainText('failed');

  // The session goes on.
  await setRecipe(page, { 'Learning rate': 0.5, Steps: 3 });
  await train(page);
  await expect(figure(page, 'loss')).toHaveText(/^\d/);
});

test('a run that goes wrong says so in plain words while it runs, and what to do about it', async ({
  page,
}) => {
  await openStudio(page, `${TINY_STUDIO}&evalEvery=12`);
  await setRecipe(page, { 'Learning rate': 100, Steps: 5000, Batch: 4, Seed: 1 });
  await startTraining(page);
  const watched = page.getByRole('status').filter({ hasText: 'every dev row was answered with' });
  await expect(watched).toContainText(/Train longer|raise the learning rate/, { timeout: SLOW });
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });
});

test('with the keyboard alone: model, table, run, figure, download', async ({ page }) => {
  await openStudio(page);
  await page.locator('body').press('Home');
  await tabTo(page, page.getByRole('link', { name: /^Model/ }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: `Load ${TINY}` }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('article', { name: TINY })).toContainText('Loaded', { timeout: SLOW });

  await tabTo(page, page.getByRole('link', { name: /^Data/ }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Choose a file' }));
  // A browser that is busy may swallow the chooser of a press; a person presses again.
  await expect(async () => {
    const dialog = page.waitForEvent('filechooser', { timeout: 5000 });
    await page.keyboard.press('Enter');
    await (await dialog).setFiles([file('topics.csv', csv(topicRows()))]);
  }).toPass({ timeout: SLOW });
  await expect(dataSummary(page)).toContainText('topics.csv', { timeout: SLOW });
  await expect(dataSummary(page)).toContainText('to train on', { timeout: SLOW });

  await tabTo(page, page.getByRole('link', { name: /^Tune/ }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('textbox', { name: 'Steps' }));
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('4');
  await tabTo(page, trainButton(page));
  await page.keyboard.press('Space');
  await expect(page.getByText(/The run is done\./)).toBeVisible({ timeout: SLOW });

  await tabTo(page, page.getByRole('link', { name: /^Results/ }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/right on [\d,]+ rows/)).toBeVisible({ timeout: SLOW });

  await tabTo(page, page.getByRole('link', { name: /^Prompt/ }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Download JSON' }));
  const download = page.waitForEvent('download');
  await page.keyboard.press('Enter');
  expect((await download).suggestedFilename()).toMatch(/\.prelude\.json$/);
});

test('keys on Tune: t trains and pauses, s makes one step, b is the big scale', async ({ page }) => {
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { Steps: 5000, Batch: 8 });
  await goTo(page, 'Tune');
  await page.keyboard.press('s');
  await expect(runRows(page)).toHaveCount(1, { timeout: SLOW });
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBe(1);
  // Two presses, however fast, are two steps; the run stays paused.
  await page.keyboard.press('s');
  await page.keyboard.press('s');
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBe(3);
  await expect(page.getByRole('button', { name: 'Go on', exact: true })).toBeVisible({ timeout: SLOW });
  await page.keyboard.press('t');
  await expect.poll(() => stepNow(page), { timeout: SLOW }).toBeGreaterThan(5);
  await page.keyboard.press('t');
  await expect(page.getByRole('button', { name: 'Go on', exact: true })).toBeVisible({ timeout: SLOW });
  const size = () => page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
  const before = await size();
  await page.keyboard.press('b');
  expect(Number.parseFloat(await size()) / Number.parseFloat(before)).toBeCloseTo(1.25, 2);
});

/** Presses Tab until the focus is there, as a person without a mouse does. */
async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 120; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error('Tab never came to it.');
}
