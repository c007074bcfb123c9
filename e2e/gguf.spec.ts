/** A GGUF file from disk: a whole model with its tokenizer in one file. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import {
  alerts,
  chartPoints,
  figure,
  file,
  goTo,
  openStudio,
  openTable,
  SLOW,
  setRecipe,
  train,
  trainButton,
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

/** The dev accuracy of the untuned model, from the table behind the chart. */
async function untuned(page: Page): Promise<number> {
  const table = page.getByRole('table', { name: 'Accuracy on dev, by step' });
  const row = table.locator('tr').filter({ has: page.locator('th', { hasText: /^untuned$/ }) });
  await expect(row).toHaveCount(1, { timeout: SLOW });
  return Number.parseFloat((await row.locator('td').textContent())!);
}

test('SmolLM2-135M dropped as a GGUF file learns what kind of answer a question wants', async ({ page }) => {
  test.skip(!existsSync(SMOLLM2), `${SMOLLM2} is not there: it is too large for this repository`);
  test.setTimeout(600_000);
  // On the processor, which takes a fifth of a software adapter's time for a step of this model.
  await openStudio(page, './?engine=onnx&model=tiny&promptLength=10&evalEvery=32');
  // A third of the sample: each of its dev rows costs as much as an example.
  const rows = readFileSync('public/samples/questions.csv', 'utf8').split('\n').slice(0, 301);
  await openTable(page, file('questions.csv', rows.join('\n')));
  await goTo(page, 'Model');
  await drop(page, SMOLLM2);
  const card = page.getByRole('region', { name: 'A model of your own' }).getByRole('article');
  await expect(card).toContainText(/134,515,008 frozen numbers, published as Q4_1/, { timeout: SLOW });
  await card.getByRole('button', { name: 'Load' }).click();
  await expect(page.locator('.page-head')).toContainText(/is loaded and frozen: 134,515,008/, {
    timeout: 300_000,
  });
  await setRecipe(page, { 'Learning rate': 0.03, Steps: 32, Batch: 8 });
  await trainButton(page).click();
  await expect(page.getByText(/The run is done\./)).toBeVisible({ timeout: 450_000 });
  const dev = await chartPoints(page, 'Accuracy on dev');
  expect(dev.at(-1)!.step).toBe(32);
  // Six kinds. Untuned it is right on a quarter of the rows, after these few steps on half of them.
  expect(dev.at(-1)!.value).toBeGreaterThan((await untuned(page)) + 10);
  await expect(alerts(page)).toHaveCount(0);
});
