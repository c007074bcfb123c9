import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import {
  chartPoints,
  choosePrompt,
  downloadPrompt,
  file,
  goTo,
  loadModel,
  measure,
  openStudio,
  openTable,
  readSentence,
  SLOW,
  saveAnswers,
  setEvalEvery,
  setRecipe,
  TINY,
  train,
  tryText,
  watchPage,
} from './helpers.ts';
import { csv, topicRows } from './tables.ts';

test('a table of one’s own: trained, taken home in three forms, brought back on another day', async ({
  page,
  browser,
}) => {
  test.setTimeout(420_000);
  const { problems } = watchPage(page);
  const table = file('topics.csv', csv(topicRows()));
  const ownText = 'the baker burnt the bread';

  await openStudio(page);
  await loadModel(page, TINY);
  await openTable(page, table);
  await setEvalEvery(page, 10);
  await setRecipe(page, { Steps: 40, Batch: 16 });
  await train(page);

  const dev = await chartPoints(page, 'Accuracy on dev');
  expect(dev.map(({ step }) => step)).toEqual([10, 20, 30, 40]);
  expect(Math.max(...dev.map(({ value }) => value))).toBeGreaterThan(dev[0]!.value);

  const { accuracy, majority, rows } = await measure(page);
  expect(rows).toBeGreaterThan(20);
  expect(accuracy).toBeGreaterThan(majority + 10);
  const answers = await saveAnswers(page);
  expect(answers).toHaveLength(rows);
  await test.step('the second opinion: ONNX Runtime computes the same', async () => {
    await page.getByRole('button', { name: 'Compare with ONNX Runtime' }).click();
    await expect(page.getByText('They agree.')).toBeVisible({ timeout: SLOW });
    const lines = page.getByRole('table', { name: /^Largest differences/ }).locator('tbody tr');
    await expect(lines).toHaveText([/^Logits.*0\.0000\d+ %$/, /^Loss.* %$/, /^Gradient.*0\.000\d+ %$/]);
  });
  const shares = await tryText(page, ownText);
  expect(Object.keys(shares).sort()).toEqual(['food', 'sport']);

  const zip = await downloadPrompt(page, 'PEFT adapter (.zip)');
  const npy = await downloadPrompt(page, 'NumPy (.npy)');
  const json = await downloadPrompt(page, 'JSON');
  await test.step('what is in the three files', () => {
    const entries = unzipSync(new Uint8Array(zip.buffer));
    const config = JSON.parse(Buffer.from(entries['adapter_config.json']!).toString('utf8'));
    expect(config).toMatchObject({ peft_type: 'PROMPT_TUNING', num_virtual_tokens: 20, token_dim: 64 });
    expect(config.num_transformer_submodules).toBe(1);
    const weights = Buffer.from(entries['adapter_model.safetensors']!);
    const header = JSON.parse(weights.subarray(8, 8 + Number(weights.readBigUInt64LE(0))).toString('utf8'));
    expect(header.prompt_embeddings).toMatchObject({ dtype: 'F32', shape: [20, 64] });

    expect(npy.buffer.subarray(0, 6).toString('latin1')).toBe('\x93NUMPY');
    const words = npy.buffer.subarray(10, 10 + npy.buffer.readUInt16LE(8)).toString('latin1');
    expect(words).toMatch(/'descr': '<f4', 'fortran_order': False, 'shape': \(20, 64\)/);
    expect(npy.buffer).toHaveLength(10 + words.length + 20 * 64 * 4);

    const told = JSON.stringify(JSON.parse(json.buffer.toString('utf8')));
    expect(told).toMatch(/"fingerprint":"[0-9a-f]{64}"/);
    expect(told).toContain('"learningRate":0.3');
  });
  expect(problems).toEqual([]);

  // Another day, on a computer that knows nothing of the first: only the files are there.
  for (const prompt of [json, zip, npy])
    await test.step(`back with ${prompt.name}`, async () => {
      const context = await browser.newContext();
      const later = await context.newPage();
      await openStudio(later);
      await loadModel(later, TINY);
      await openTable(later, table);
      await choosePrompt(later, [prompt]);
      await expect(later.getByText('It fits the loaded model.')).toBeVisible({ timeout: SLOW });
      await later.getByRole('status').getByRole('button', { name: 'Test it' }).click();
      expect(await readSentence(later)).toMatchObject({ accuracy, majority, rows });
      const again = await saveAnswers(later);
      expect(again.map(({ row, predicted }) => [row, predicted])).toEqual(
        answers.map(({ row, predicted }) => [row, predicted]),
      );
      for (const [i, { probability }] of again.entries())
        expect(probability).toBeCloseTo(answers[i]!.probability, 5);

      await goTo(later, 'Prompt');
      await later.getByRole('button', { name: 'Use in Try it' }).click();
      expect(await tryText(later, ownText)).toEqual(shares);
      await context.close();
    });
});
