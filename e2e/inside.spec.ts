import { expect, type Page, test } from '@playwright/test';
import {
  goTo,
  loadModel,
  openSample,
  openStudio,
  SHADERS,
  SLOW,
  select,
  setRecipe,
  TINY,
  train,
  watchPage,
} from './helpers.ts';
import { look } from './looking.ts';

/** Dark and light. */
async function expectSound(page: Page, name: string): Promise<void> {
  for (const [theme, button] of [
    ['dark', 'Dark theme'],
    ['light', 'Light theme'],
  ] as const) {
    await page.getByRole('button', { name: button }).click();
    await look(page, theme, name, true);
  }
}

async function openPage(page: Page, name: 'Inside the prompt' | 'One model, many prompts'): Promise<void> {
  await goTo(page, 'Prompt');
  await page
    .getByRole('navigation', { name: 'Pages of the Prompt station' })
    .getByRole('link', { name })
    .click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
}

test('inside a prompt: its words over the steps, the map, what matters, who looks; then two prompts together', async ({
  page,
}) => {
  test.setTimeout(300_000);
  const { problems } = watchPage(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'light' });
  await openStudio(page, SHADERS);
  await openPage(page, 'Inside the prompt');
  await expect(page.getByText(/stand here once a prompt has been learned/)).toBeVisible();

  await loadModel(page, TINY);
  await setRecipe(page, { Steps: 20, Batch: 8 });
  await train(page);
  await openPage(page, 'Inside the prompt');

  await test.step('words, back to the start', async () => {
    const words = page.getByRole('table', { name: 'Nearest words of each virtual token' });
    await expect(words.locator('tbody tr')).toHaveCount(20, { timeout: SLOW });
    const first = words.locator('tbody tr').first();
    await expect(first.locator('td').last()).not.toHaveText('0');
    const step = page.getByRole('slider', { name: 'Step' });
    await step.focus();
    await page.keyboard.press('Home');
    await expect(first.locator('td').last()).toHaveText('0');
    // Before the first step the nearest word is the one it started as.
    const startedAs = (await first.locator('td').nth(1).textContent())!;
    await expect(first.locator('.token').first()).toHaveText(startedAs);
    await page.keyboard.press('End');
  });

  await test.step('the map and the norms have their tables', async () => {
    const places = page.getByRole('table', { name: /^Places on the map/ });
    await expect(places.getByRole('row', { name: /word of the label/ })).toHaveCount(2);
    await page.getByRole('button', { name: 'Virtual token 3', exact: true }).click();
    await expect(page.getByRole('textbox', { name: 'Virtual token' })).toHaveValue('3');
    await page.getByRole('button', { name: 'Fit the words' }).click();
    await expect(page.getByRole('table', { name: 'Norm of each virtual token at step 20' })).toBeAttached();
  });

  await test.step('leaving one out, stopped and done', async () => {
    const press = page.getByRole('button', { name: 'Leave each one out' });
    await press.click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(press).toBeVisible({ timeout: SLOW });
    await press.click();
    await expect(page.getByText(/virtual tokens change the loss/)).toBeVisible({ timeout: SLOW });
    const rows = page
      .getByRole('table', { name: 'Dev loss and accuracy without each virtual token' })
      .locator('tbody tr');
    await expect(rows).toHaveCount(20);
  });

  await test.step('attention of one’s own sentence', async () => {
    await page.getByRole('textbox', { name: 'Your sentence' }).fill('The river is wide.');
    const grid = page.getByRole('table', { name: /^Share of attention/ });
    await expect(page.getByRole('button', { name: /^river: \d+ % to the prompt$/ })).toBeVisible({
      timeout: SLOW,
    });
    await expect(grid.getByRole('button')).toHaveCount(2 * 4);
    await grid.getByRole('button', { name: /^Layer 2, head 3/ }).click();
    await expect(page.getByText(/^Layer 2, head 3, all of these/)).toBeVisible();
    await select(page.locator('.attention-who'), 'Who looks', 'From the answer');
    await expect(page.getByText(/The arrow names the token of the answer/)).toBeVisible();
    await expectSound(page, 'inside-filled');
  });

  await test.step('two tasks in one batch', async () => {
    await openSample(page, 'Film reviews');
    await train(page);
    await openPage(page, 'One model, many prompts');
    const read = page.getByRole('button', { name: 'Read all in one pass' });
    await expect(read).toBeEnabled({ timeout: SLOW });
    await read.click();
    await expect(
      page.getByText(/^1 forward pass of the frozen model read 2 texts behind 2 prompts/),
    ).toBeVisible({
      timeout: SLOW,
    });
    await expect(page.getByRole('button', { name: 'Count the votes' })).toBeDisabled();
    await expect(page.getByText(/answers with other labels than this table has/)).toBeVisible();
  });

  await test.step('a vote, and the way from one prompt to another', async () => {
    await setRecipe(page, { Seed: 11 });
    await train(page);
    await openPage(page, 'One model, many prompts');
    await page.locator('.together-choice .checkbox', { hasText: 'Fact or opinion' }).click();
    await page.getByRole('button', { name: 'Count the votes' }).click();
    await expect(page.getByText(/rows the majority is right on/)).toBeVisible({ timeout: SLOW });
    const shares = page
      .getByRole('table', { name: 'Accuracy of each prompt and of their vote' })
      .locator('tbody tr');
    await expect(shares).toHaveCount(5);
    // Row by row: what each of them says, and what they say together.
    const differ = page.getByRole('heading', { name: /^[\d,]+ rows? of [\d,]+ on which they differ$/ });
    await expect(differ).toBeVisible();
    const first = page
      .getByRole('row')
      .filter({ has: page.locator('.vote-answer') })
      .first();
    await expect(first.locator('.vote-answer')).toHaveCount(3);
    await page.getByRole('button', { name: 'Measure along the way' }).click();
    await expect(page.getByText(/^11 places, the same \d+ dev rows at each/)).toBeVisible({ timeout: SLOW });
    const answer = page.getByLabel('Answer at this place');
    await expect(answer.locator('dd')).toHaveCount(2, { timeout: SLOW });
    const before = await answer.textContent();
    await page.getByRole('slider', { name: 'Place between the two, a' }).focus();
    await page.keyboard.press('End');
    await expect(answer).not.toHaveText(before!);
    await expectSound(page, 'together-filled');
  });
  expect(problems).toEqual([]);
});
