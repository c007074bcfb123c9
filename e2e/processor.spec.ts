/** The main job in a Chromium whose WebGPU is switched off: all of it on the processor, through ONNX Runtime. */
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { findChromium } from '../scripts/chromium.ts';
import {
  bytesOf,
  chartPoints,
  downloadPrompt,
  file,
  loadModel,
  measure,
  openStudio,
  openTable,
  SLOW,
  saveAnswers,
  setEvalEvery,
  setRecipe,
  TINY,
  train,
  tryText,
  watchPage,
} from './helpers.ts';
import { builtinFolder, output, pythonHas, serveFolder, unpack } from './shipped.ts';
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

const TEXT = 'the baker burnt the bread';

test('without WebGPU: a table of one’s own, trained, measured, tried, and what is taken home predicts elsewhere', async ({
  page,
  context,
}) => {
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
  const shares = await tryText(page, TEXT);
  expect(Object.keys(shares).sort()).toEqual(['food', 'sport']);
  const label = shares.food! > shares.sport! ? 'food' : 'sport';
  const peft = await downloadPrompt(page, 'PEFT adapter (.zip)');

  await page.getByRole('button', { name: 'Try out what would ship' }).click();
  const found = page.getByRole('region', { name: 'Run it elsewhere' }).getByRole('status');
  await expect(found).toContainText(/ms a text on this computer’s processor/, { timeout: SLOW });
  await expect(found).toContainText('on 12 of 12 rows');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Download with the model/ }).click();
  const folder = unpack(new Uint8Array(await bytesOf(await download)));
  expect(problems).toEqual([]);

  const close = (share: number) => expect(100 * share).toBeCloseTo(shares[label]!, 0);
  await test.step('the script for Node', async () => {
    const said = JSON.parse(await output(process.execPath, ['predict.mjs', TEXT], folder));
    expect(said.label).toBe(label);
    close(said.scores.find((score: { label: string }) => score.label === label).probability);
  });

  await test.step('the page, from any static server', async () => {
    const server = await serveFolder(folder);
    const other = await context.newPage();
    await other.goto(server.url);
    await expect(other.getByRole('status')).toHaveText('Ready', { timeout: SLOW });
    await other.getByRole('textbox', { name: 'Your text', exact: true }).fill(TEXT);
    await other.getByRole('button', { name: 'Predict' }).click();
    await expect(other.getByRole('status')).toHaveText(new RegExp(`^${label}, in \\d+ ms$`));
    await expect(other.locator('dl')).toContainText(/(food|sport)[\d.]+ %(food|sport)[\d.]+ %/);
    await other.close();
    server.close();
  });

  await test.step('PEFT in Python', async () => {
    if (!pythonHas('torch', 'peft', 'transformers'))
      return notRun('Python has no torch, peft and transformers');
    const script = join(unpack(new Uint8Array(peft.buffer)), 'predict.py');
    expect((await output('python3', [script, builtinFolder('tiny'), TEXT], folder)).trim()).toBe(label);
  });
  await test.step('ONNX’s checker in Python', async () => {
    if (!pythonHas('onnx')) return notRun('Python has no onnx');
    await output(
      'python3',
      ['-c', 'import onnx; onnx.checker.check_model("model.onnx", full_check=True)'],
      folder,
    );
  });
  await test.step('ONNX Runtime in Python', async () => {
    if (!pythonHas('onnxruntime', 'tokenizers', 'numpy'))
      return notRun('Python has no onnxruntime and tokenizers');
    expect(JSON.parse(await output('python3', ['predict.py', TEXT], folder)).label).toBe(label);
  });
});

/** What this machine lacks is named in the report. */
function notRun(why: string): void {
  test.info().annotations.push({ type: 'not run', description: why });
}
