import { expect, test } from '@playwright/test';
import { goTo, loadModel, openStudio, SLOW, setRecipe, TINY, TINY_STUDIO, train } from './helpers.ts';

test('a kept prompt: renamed, there after a reload, deleted with an undo', async ({ page }) => {
  await openStudio(page);
  await loadModel(page, TINY);
  await setRecipe(page, { Steps: 3, Batch: 4 });
  await train(page);
  await goTo(page, 'Prompt');
  const kept = page.getByRole('region', { name: 'Kept in this browser' });
  const messages = page.getByRole('region', { name: 'Messages' });
  await page.getByRole('textbox', { name: 'Keep it here as' }).fill('My first');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await expect(kept.getByRole('listitem')).toContainText('My first', { timeout: SLOW });

  await kept.getByRole('button', { name: 'More for My first' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rename' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('My second');
  await dialog.getByRole('button', { name: 'Rename' }).click();
  await expect(kept.getByRole('listitem')).toContainText('My second');

  await page.reload();
  await expect(kept.getByRole('listitem')).toContainText('My second', { timeout: SLOW });
  // The default model is another one: the prompt says for which it is.
  await expect(kept.getByRole('listitem')).toContainText(/Does not fit the loaded model.*nano-T5 tiny/, {
    timeout: SLOW,
  });

  const more = kept.getByRole('button', { name: 'More for My second' });
  await more.click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(kept.getByRole('listitem')).toHaveCount(0);
  await messages.getByRole('button', { name: 'Undo' }).click();
  await expect(kept.getByRole('listitem')).toContainText('My second');

  await more.click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(kept.getByRole('listitem')).toHaveCount(0);
  await page.reload();
  await expect(kept).toContainText('Prompts you keep will stand here', { timeout: SLOW });
});

test('a run: renamed, deleted, brought back, there after a reload', async ({ page }) => {
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { Steps: 3, Batch: 4 });
  await train(page);
  const runs = page.getByRole('region', { name: 'Runs' });
  await runs.getByRole('button', { name: 'Actions for Fact or opinion' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rename the run' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Morning');
  await page.keyboard.press('Enter');
  await expect(runs).toContainText('Morning');
  await runs.getByRole('button', { name: 'Actions for Morning' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(runs).not.toContainText('Morning');
  await page.getByRole('region', { name: 'Messages' }).getByRole('button', { name: 'Undo' }).click();
  await expect(runs).toContainText('Morning');
  await page.reload();
  await expect(runs).toContainText('Morning', { timeout: SLOW });
});
