/** A GGUF file from disk: a whole model with its tokenizer in one file. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import {
  alerts,
  choose,
  figure,
  file,
  goTo,
  openStudio,
  openTable,
  SLOW,
  setRecipe,
  train,
} from './helpers.ts';

const TINY = 'src/models/testdata/gguf/tiny-f32.gguf';
const SMOLLM2 = '../shared/models/smollm2-135m-instruct-q4_1.gguf';

/** Drops a file on the part for models of one's own, as from the desktop. */
async function drop(page: Page, path: string): Promise<void> {
  const zone = page.getByRole('region', { name: 'A model of your own' }).locator('.drop');
  await zone.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await zone.boundingBox())!;
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [resolve(path)], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await devtools.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data });
  await devtools.detach();
}

test('a GGUF file dropped from disk is looked into, loads and learns', async ({ page }) => {
  await openStudio(page);
  await goTo(page, 'Model');
  await drop(page, TINY);
  const card = page.getByRole('article', { name: 'tiny-f32.gguf' });
  await expect(card).toContainText(/Llama; .* frozen numbers, published as F32/);
  await expect(card.getByRole('table', { name: 'What it needs on this device' })).toContainText('As stored');
  await card.getByRole('button', { name: 'Load' }).click();
  await expect(page.locator('.page-head')).toContainText('tiny-f32.gguf is loaded and frozen', {
    timeout: SLOW,
  });
  await setRecipe(page, { Steps: 3, Batch: 4 });
  await train(page);
  await expect(figure(page, 'step')).toContainText('3');
  await expect(alerts(page)).toHaveCount(0);
});

test('SmolLM2-135M as a GGUF file loads and learns a few steps', async ({ page }) => {
  test.skip(!existsSync(SMOLLM2), `${SMOLLM2} is not there: it is too large for this repository`);
  test.setTimeout(600_000);
  await openStudio(page);
  // A software adapter takes seconds for a step of this model, and a dev row costs as much as an example.
  const rows = ['good film,positive', 'bad film,negative', 'lovely,positive', 'awful,negative'];
  const table = [
    'text,label',
    ...rows,
    ...rows.map((row) => `very ${row}`),
    ...rows.map((row) => `so ${row}`),
  ];
  await openTable(page, file('films.csv', table.join('\n')));
  await goTo(page, 'Model');
  const own = page.getByRole('region', { name: 'A model of your own' });
  await choose(page, own.getByRole('button', { name: 'Choose files' }), { path: SMOLLM2 });
  const card = own.getByRole('article');
  await expect(card).toContainText(/134,515,008 frozen numbers, published as Q4_1/, { timeout: SLOW });
  await card.getByRole('button', { name: 'Load' }).click();
  await expect(page.locator('.page-head')).toContainText(/is loaded and frozen: 134,515,008/, {
    timeout: 300_000,
  });
  await setRecipe(page, { Steps: 2, Batch: 2 });
  await train(page);
  await expect(figure(page, 'step')).toContainText('2');
  await expect(alerts(page)).toHaveCount(0);
});
