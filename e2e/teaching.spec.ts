import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import {
  bytesOf,
  loadModel,
  openStudio,
  ready,
  runRows,
  SLOW,
  setRecipe,
  TINY,
  watchPage,
} from './helpers.ts';

async function expectNoViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(', ')}`)).toEqual(
    [],
  );
}

test('a setting is shared as a link, and the link restores it', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openStudio(page);
  await loadModel(page, TINY);
  await setRecipe(page, { Steps: 50, Seed: 3 });
  await page.getByRole('textbox', { name: 'Your text', exact: true }).fill('A fine day for soup.');
  await page.getByRole('button', { name: 'Share' }).click();
  const dialog = page.getByRole('dialog', { name: 'Share this setting' });
  await expectNoViolations(page);
  await dialog.getByRole('button', { name: 'Copy link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toContain(
    '?model=tiny&sample=fact-or-opinion&steps=50&seed=3&text=A+fine+day+for+soup.&engine=webgpu#/tune',
  );

  const other = await context.newPage();
  await other.goto(link);
  await ready(other);
  const panel = other.getByRole('region', { name: 'What goes in' });
  await expect(panel.getByRole('textbox', { name: 'Steps' })).toHaveValue('50');
  await expect(panel.getByRole('textbox', { name: 'Seed' })).toHaveValue('3');
  await expect(other.getByRole('textbox', { name: 'Your text', exact: true })).toHaveValue(
    'A fine day for soup.',
  );
  await expect(other.getByRole('group', { name: /nano-T5 tiny, frozen/ })).toBeVisible();
});

test('a teacher’s link locks and hides, keeps the seed, and says what it did not know', async ({ page }) => {
  await page.goto('./?engine=webgpu&model=tiny&seed=5&lock=seed&hide=data,tryit&colour=red#/tune');
  await expect(page.getByRole('region', { name: 'Messages' })).toContainText(
    'Not known here, and left out: colour.',
  );
  await ready(page);
  await expect(page.getByRole('textbox', { name: 'Seed' })).toBeDisabled();
  await expect(page.getByRole('textbox', { name: 'Seed' })).toHaveValue('5');
  await expect(page.getByRole('link', { name: /^Data/ })).toHaveCount(0);
  await expect(page.getByRole('region', { name: 'What comes out' })).toHaveCount(0);
  await page.getByRole('button', { name: 'paper’s values' }).click();
  await expect(page.getByRole('textbox', { name: 'Steps' })).toHaveValue('30000');
  await expect(page.getByRole('textbox', { name: 'Seed' })).toHaveValue('5');
  await page.evaluate(() => {
    window.location.hash = '#/data';
  });
  await expect(page).toHaveURL(/#\/tune$/);
  await expectNoViolations(page);
});

test('the tour: offered once, with the keyboard, by its address, ended with Escape', async ({ page }) => {
  const { problems } = watchPage(page);
  await openStudio(page);
  await page.getByRole('button', { name: 'Take the tour' }).click();
  const tour = page.getByRole('region', { name: 'Tour' });
  await expect(tour).toContainText('1 of 8');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(page).toHaveURL(/#\/tune\?tour=3$/);
  await expect(tour.getByRole('heading', { name: 'What the model reads' })).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(tour).toContainText('2 of 8');
  await expectNoViolations(page);
  await page.keyboard.press('Escape');
  await expect(tour).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Take the tour' })).toHaveCount(0);

  await page.goto('./?engine=webgpu#/tune?tour=8');
  await expect(tour).toContainText('8 of 8');
  await tour.getByRole('button', { name: 'Done' }).click();
  await expect(page).toHaveURL(/#\/tune$/);
  expect(problems).toEqual([]);
});

test('a lesson: the guess, the press that sets the experiment, then what to see', async ({ page }) => {
  await openStudio(page, './?engine=webgpu&model=tiny');
  await page.getByRole('link', { name: 'Lessons' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Lessons' })).toBeVisible();
  await expectNoViolations(page);
  await page.getByRole('link', { name: 'Model size' }).click();
  await expect(page.getByRole('heading', { name: 'Why', exact: true })).toHaveCount(0);
  await page.getByRole('radio', { name: 'the middle one' }).check();
  await page.getByRole('button', { name: 'nano-T5 tiny' }).click();
  await expect(page).toHaveURL(/#\/tune$/);
  await expect(page.getByRole('region', { name: 'What goes in' })).toContainText('Questions', {
    timeout: SLOW,
  });
  await page.goBack();
  await expect(page.getByRole('radio', { name: 'the middle one' })).toBeChecked();
  await expect(page.getByRole('heading', { name: 'Why', exact: true })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Where this model differs' })).toBeVisible();
  await expectNoViolations(page);
});

test('three seeds, a run card, and its place on the class board', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openStudio(page, './?engine=webgpu&model=tiny&steps=4&batchSize=8&evalEvery=2');
  await page.getByRole('button', { name: 'Train 3 seeds' }).click();
  await expect(runRows(page)).toHaveCount(3, { timeout: 3 * SLOW });
  await expect(runRows(page).filter({ hasText: 'done' })).toHaveCount(3, { timeout: SLOW });
  await expect(page.getByText('band: lowest to highest seed')).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the chart Accuracy on dev' }).click();
  await page.getByRole('menuitem', { name: 'Numbers as CSV' }).click();
  const rows = (await bytesOf(await download)).toString('utf8').trim().split('\r\n');
  expect(rows[0]!.split(',').slice(0, 4)).toEqual([
    'step',
    expect.any(String),
    expect.any(String),
    expect.any(String),
  ]);
  expect(rows.length).toBeGreaterThanOrEqual(3);
  await runRows(page)
    .first()
    .getByRole('button', { name: /^Actions for/ })
    .click();
  await page.getByRole('menuitem', { name: 'Copy run card' }).click();
  await expect(page.getByRole('region', { name: 'Messages' })).toContainText('The run card is copied.');
  const card = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(card).toMatchObject({ format: 'prelude-run/1', learned: 1280, bytes: 5120, recipe: { seed: 9 } });
  expect(card.model.fingerprint).toMatch(/^[0-9a-f]{16,}/);

  await page.goto('./#/board');
  // Somebody else's: one vector, and as good as a coin.
  const other = {
    ...card,
    name: 'one vector',
    recipe: { ...card.recipe, promptLength: 1 },
    accuracy: { dev: 0.5, test: { accuracy: 0.1, low: 0, high: 0.2, n: 120 } },
    learned: 64,
    bytes: 256,
  };
  await page
    .getByRole('textbox', { name: 'Paste one or many run cards' })
    .fill(`mine: ${JSON.stringify(card)}\nhers: ${JSON.stringify(other)}`);
  await page.getByRole('button', { name: 'Add to the board' }).click();
  const ranking = page.getByRole('region', { name: 'Ranking' });
  // First by accuracy and second by bytes; and the other way round.
  await expect(ranking.locator('tbody tr')).toHaveText([/^12.*5\.1 kB/, /^21one vector.*256 B/]);
  await expectNoViolations(page);
});
