/** The main job in a Chromium whose WebGPU is switched off: all of it on the processor, through ONNX Runtime. */
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { findChromium } from '../scripts/chromium.ts';
import {
  chartPoints,
  downloadPrompt,
  file,
  loadModel,
  measure,
  openStudio,
  openTable,
  saveAnswers,
  setEvalEvery,
  setRecipe,
  TINY,
  train,
  tryText,
  watchPage,
} from './helpers.ts';
import { csv, topicRows } from './tables.ts';

test.use({
  launchOptions: {
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-features=WebGPU',
    ],
  },
});

test('without WebGPU: a table of one’s own, trained, measured, tried and taken home', async ({ page }) => {
  test.setTimeout(300_000);
  const { problems } = watchPage(page);
  await openStudio(page, './');
  expect(await page.evaluate(async () => (await navigator.gpu?.requestAdapter()) ?? null)).toBeNull();
  await expect(page.getByRole('region', { name: 'Engine', exact: true })).toContainText(
    'The processor computes instead',
  );
  await loadModel(page, TINY);
  await openTable(page, file('topics.csv', csv(topicRows())));
  await setEvalEvery(page, 10);
  await setRecipe(page, { Steps: 40, Batch: 16 });
  await train(page);

  const dev = await chartPoints(page, 'Accuracy on dev');
  expect(dev.map(({ step }) => step)).toEqual([10, 20, 30, 40]);
  const { accuracy, majority, rows } = await measure(page);
  expect(rows).toBeGreaterThan(20);
  expect(accuracy).toBeGreaterThan(majority + 10);
  expect(await saveAnswers(page)).toHaveLength(rows);
  expect(Object.keys(await tryText(page, 'the baker burnt the bread')).sort()).toEqual(['food', 'sport']);

  const zip = await downloadPrompt(page, 'PEFT adapter (.zip)');
  const config = JSON.parse(
    Buffer.from(unzipSync(new Uint8Array(zip.buffer))['adapter_config.json']!).toString('utf8'),
  );
  expect(config).toMatchObject({ peft_type: 'PROMPT_TUNING', num_virtual_tokens: 20, token_dim: 64 });
  expect(problems).toEqual([]);
});
