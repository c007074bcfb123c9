import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from '@playwright/test';
import { alerts, choose, choosePrompt, expectError, file, goTo, openStudio, SLOW } from './helpers.ts';
import { npy } from './tables.ts';

const modelFile = async (path: string, name = path.split('/').at(-1)!) =>
  file(name, await readFile(`public/models/${path}`), 'application/octet-stream');

/** Chooses a model's files, which are looked into at once. */
async function lookInto(page: Page, files: ReturnType<typeof file>[]): Promise<void> {
  const own = page.getByRole('region', { name: 'A model of your own' });
  await choose(page, own.getByRole('button', { name: 'Choose files' }), files);
}

test('a model of one’s own: what is missing, cut off or of another kind is said; a whole one loads', async ({
  page,
}) => {
  const config = await modelFile('tiny/config.json');
  const weights = await modelFile('tiny/model.safetensors');
  const tokenizer = await modelFile('tokenizer.json');
  const remains = () => expect(page.locator('.page-head')).toContainText('nano-T5 small is loaded');
  await openStudio(page);
  await goTo(page, 'Model');

  await test.step('no tokenizer', async () => {
    const own = page.getByRole('region', { name: 'A model of your own' });
    await choose(page, own.getByRole('button', { name: 'Choose files' }), [config, weights]);
    await expectError(page, /tokenizer\.json is missing/, /2 files/, /Drop the whole folder/);
  });
  await test.step('weights that are cut off', async () => {
    const half = { ...weights, buffer: weights.buffer.subarray(0, weights.buffer.length / 2) };
    await lookInto(page, [config, half, tokenizer]);
    await expectError(page, /model\.safetensors/, /model\.safetensors/, /\w/);
    await remains();
  });
  await test.step('another architecture', async () => {
    const other = file(
      'config.json',
      JSON.stringify({ model_type: 'bert', hidden_size: 64, num_hidden_layers: 2 }),
    );
    await lookInto(page, [other, weights, tokenizer]);
    await expectError(page, /model_type "bert" is not known here/, /config\.json/, /Known are T5/);
    await remains();
  });
  await test.step('a config.json that is no JSON', async () => {
    await lookInto(page, [file('config.json', '{"model_type": "t5",'), weights, tokenizer]);
    await expectError(page, /config\.json.*no valid JSON/, /config\.json/, /Get the file again/);
    await remains();
  });
  await test.step('a config.json of other sizes', async () => {
    const sizes = { ...JSON.parse(config.buffer.toString('utf8')), d_model: 96 };
    await lookInto(page, [file('config.json', JSON.stringify(sizes)), weights, tokenizer]);
    await expectError(page, /config/, /\w/, /one and the same model/);
    await remains();
  });
  await test.step('a whole one', async () => {
    await lookInto(page, [config, weights, tokenizer]);
    await page.getByRole('article', { name: 'own model' }).getByRole('button', { name: 'Load' }).click();
    await expect(page.locator('.page-head')).toContainText(/is loaded and frozen: 721,920 numbers/, {
      timeout: SLOW,
    });
    await expect(alerts(page)).toHaveCount(0);
  });
});

test('prompts that do not fit are refused with the reason; the next one is taken', async ({ page }) => {
  await openStudio(page);
  const CASES: [ReturnType<typeof file>[], what: RegExp, where: RegExp, remedy: RegExp][] = [
    [
      [file('narrow.npy', npy([5, 32]))],
      /32 wide.*"nano-T5 small" is 128 wide/,
      /narrow/,
      /Load the model it was learned on/,
    ],
    [[file('cube.npy', npy([5, 4, 32]))], /cube\.npy/, /cube\.npy/, /\w/],
    [[file('long.npy', npy([151, 128]))], /151 virtual tokens; Prelude takes 1 to 150/, /long/, /shorter/],
    [[file('cut.npy', npy([5, 128]).slice(0, 900))], /cut\.npy/, /cut\.npy/, /\w/],
    [
      [file('broken.zip', `PK\x03\x04${'x'.repeat(300)}`)],
      /zip has no table of contents/,
      /broken\.zip/,
      /download it again/,
    ],
    [[file('prompt.json', '{"format": "something else"}')], /prompt\.json/, /prompt\.json/, /\w/],
    [[file('holiday.json', 'not even JSON')], /holiday\.json/, /holiday\.json/, /\w/],
    [
      [file('adapter_config.json', '{"peft_type": "LORA"}')],
      /adapter_config\.json/,
      /adapter_config\.json/,
      /\w/,
    ],
  ];
  for (const [files, what, where, remedy] of CASES)
    await test.step(files[0]!.name, async () => {
      await choosePrompt(page, files);
      await expectError(page, what, where, remedy);
    });
  await choosePrompt(page, [file('fits.npy', npy([5, 128]))]);
  await expect(page.getByText('It fits the loaded model.')).toBeVisible({ timeout: SLOW });
  await expect(page.getByText(/whether it was learned there cannot be checked/).first()).toBeVisible();
});
