/** What a person does in the studio, as plain functions: by role and name, as a screen reader would find it. */
import { readFile } from 'node:fs/promises';
import { type BrowserContext, type Download, expect, type Locator, type Page } from '@playwright/test';

/** Long waits on a software adapter of a busy machine; an idle one needs a tenth. */
export const SLOW = 120_000;

export type Station = 'Model' | 'Data' | 'Tune' | 'Results' | 'Prompt';

/** A file as it is chosen in a file dialog. */
export interface ChosenFile {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export function file(name: string, content: string | Uint8Array, mimeType = 'text/csv'): ChosenFile {
  return { name, mimeType, buffer: Buffer.from(content) };
}

/**
 * The studio on the shaders, also where the adapter is software: without a word in the address it would take the processor there,
 * and the journeys would no longer be about WebGPU.
 */
export const SHADERS = './?engine=webgpu';

/** The same with the smallest model, with which a run takes seconds. */
export const TINY_STUDIO = `${SHADERS}&model=tiny`;

/** Opens the page and waits until a run can start. */
export async function openStudio(page: Page, path = SHADERS): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole('heading', { level: 1 })).toBeAttached();
  await ready(page);
}

/** Waits until a model and a table are there and nothing is being measured any more. */
export async function ready(page: Page): Promise<void> {
  await expect(stationLink(page, 'Model')).toContainText(/Model/);
  await goTo(page, 'Tune');
  await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: SLOW });
}

function stationLink(page: Page, station: Station): Locator {
  return page.getByRole('navigation', { name: 'Stations' }).getByRole('link', { name: station });
}

export async function goTo(page: Page, station: Station): Promise<void> {
  await stationLink(page, station).click();
  await expect(page.getByRole('heading', { level: 1, name: station })).toBeAttached();
}

/** Loads a built-in model on the Model station. */
export async function loadModel(page: Page, title: string): Promise<void> {
  await goTo(page, 'Model');
  const card = page.getByRole('article', { name: title });
  const load = card.getByRole('button', { name: `Load ${title}` });
  await expect(load.or(card.getByText('Loaded'))).toBeVisible();
  if (await load.isVisible()) await load.click();
  await expect(card.getByText('Loaded')).toBeVisible({ timeout: SLOW });
}

/** The smallest model's name. */
export const TINY = 'nano-T5 tiny';

/** Presses `button`, and gives the dialog that opens these files. */
export async function choose(
  page: Page,
  button: Locator,
  files: ChosenFile[] | { path: string },
): Promise<void> {
  const dialog = page.waitForEvent('filechooser');
  await button.click();
  await (await dialog).setFiles('path' in files ? files.path : files);
}

/** A table of one's own through the file dialog of the Data station; nothing is awaited. */
export async function chooseTable(page: Page, table: ChosenFile | { path: string }): Promise<void> {
  await goTo(page, 'Data');
  const source = page.getByRole('region', { name: 'Where the rows come from' });
  await choose(
    page,
    source.getByRole('button', { name: 'Choose a file' }),
    'path' in table ? table : [table],
  );
}

/** As `chooseTable`, until its rows can be trained on. */
export async function openTable(
  page: Page,
  table: ChosenFile | { name: string; path: string },
): Promise<void> {
  await chooseTable(page, table);
  await expect(dataSummary(page)).toContainText(table.name, { timeout: SLOW });
  await expect(dataSummary(page)).toContainText('to train on', { timeout: SLOW });
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: SLOW });
}

/** A sample, one press away on the Data station. */
export async function openSample(page: Page, title: string): Promise<void> {
  await goTo(page, 'Data');
  await page
    .getByRole('list', { name: 'Samples' })
    .getByRole('button', { name: new RegExp(`^${title}`) })
    .click();
  await expect(dataSummary(page)).toContainText(`${title}:`, { timeout: SLOW });
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: SLOW });
}

/** The words under the title of the Data station. */
export function dataSummary(page: Page): Locator {
  return page.locator('.page-head').filter({ has: page.getByRole('heading', { name: 'Data' }) });
}

/** Chooses in a select of the studio, which is a button that opens a list. */
export async function select(scope: Page | Locator, label: string, option: string): Promise<void> {
  const page = 'goto' in scope ? scope : scope.page();
  await scope.getByRole('button', { name: new RegExp(`${label}$`) }).click();
  await page.getByRole('listbox').getByRole('option', { name: option }).click();
  await expect(page.getByRole('listbox')).toHaveCount(0);
}

/** Types a number into a field and leaves it, which is when it counts. */
export async function setNumber(scope: Page | Locator, label: string, value: number): Promise<void> {
  const field = scope.getByRole('textbox', { name: label, exact: true });
  // Fields of numbers know digits only: 1e39 is typed in full.
  await field.fill(value >= 1e21 ? BigInt(value).toString() : String(value));
  await field.press('Tab');
  await expect.poll(async () => Number(await field.inputValue())).toBe(value);
}

/** Values of the Tune station's recipe panel. */
export async function setRecipe(
  page: Page,
  values: Partial<Record<'Learning rate' | 'Steps' | 'Batch' | 'Seed', number>>,
): Promise<void> {
  await goTo(page, 'Tune');
  const panel = page.getByRole('region', { name: 'What goes in' });
  for (const [label, value] of Object.entries(values)) await setNumber(panel, label, value);
}

/** Opens the dialog of all settings; returns it. */
export async function openSettings(page: Page): Promise<Locator> {
  await goTo(page, 'Tune');
  await page.getByRole('button', { name: /^All \d+ settings$/ }).click();
  const dialog = page.getByRole('dialog', { name: 'All settings' });
  await expect(dialog).toBeVisible();
  return dialog;
}

export async function setEvalEvery(page: Page, steps: number): Promise<void> {
  const dialog = await openSettings(page);
  await setNumber(dialog, 'Measure dev every (steps)', steps);
  await dialog.getByRole('button', { name: 'Done' }).click();
}

export function trainButton(page: Page): Locator {
  return page.getByRole('button', { name: 'Train', exact: true });
}

/** Presses Train and waits until the run is in the list of runs, so that what is shown is its own. */
export async function startTraining(page: Page): Promise<void> {
  await goTo(page, 'Tune');
  const rows = runRows(page);
  const before = await rows.count();
  await trainButton(page).click();
  await expect(rows).toHaveCount(before + 1, { timeout: SLOW });
}

/** Presses Train and waits until the run has come to its end. */
export async function train(page: Page): Promise<void> {
  await startTraining(page);
  await runDone(page);
}

/** Rows of the list of runs, the newest first. */
export function runRows(page: Page): Locator {
  return page.getByRole('table', { name: 'Runs' }).locator('tbody tr');
}

export async function runDone(page: Page): Promise<void> {
  await expect(page.getByText(/The run is done\./)).toBeVisible({ timeout: SLOW });
}

/** The step in the figures beside the buttons. */
export async function stepNow(page: Page): Promise<number> {
  const text = await figure(page, 'step').textContent();
  return Number(text!.split('/')[0]!.replace(/\D/g, ''));
}

export function figure(page: Page, name: string | RegExp): Locator {
  return page
    .locator('.figures > div')
    .filter({ has: page.getByText(name, { exact: typeof name === 'string' }) })
    .locator('dd');
}

/** The points of the run that is warm, from the table behind a chart: the last column of it. */
export async function chartPoints(
  page: Page,
  title: 'Loss' | 'Accuracy on dev',
): Promise<{ step: number; value: number }[]> {
  const rows = page.getByRole('table', { name: `${title}, by step` }).locator('tbody tr');
  const cells = await rows.evaluateAll((all) =>
    all.map((row) => [
      row.querySelector('th')?.textContent ?? '',
      row.querySelector('td:last-child')?.textContent ?? '',
    ]),
  );
  return cells
    .filter(([step, value]) => /^[\d,]+$/.test(step!) && value !== '')
    .map(([step, value]) => ({ step: Number(step!.replace(/,/g, '')), value: Number.parseFloat(value!) }));
}

/** The one sentence of the Results station. */
export interface Sentence {
  accuracy: number;
  rows: number;
  majority: number;
}

export async function readSentence(page: Page): Promise<Sentence> {
  const sentence = page.getByText(/right on [\d,]+ rows/);
  await expect(sentence).toBeVisible({ timeout: SLOW });
  const words = (await sentence.textContent())!;
  const found = /^([\d.]+) % right on ([\d,]+) rows.*always saying .+? gets ([\d.]+) %/.exec(words);
  if (!found) throw new Error(`The sentence of the Results station reads otherwise: ${words}`);
  const [accuracy, rows, majority] = found.slice(1).map((value) => Number(value.replace(/,/g, '')));
  return { accuracy: accuracy!, rows: rows!, majority: majority! };
}

/** Measures what is chosen on the Results station, where it has not been measured yet. */
export async function measure(page: Page): Promise<Sentence> {
  await goTo(page, 'Results');
  const sentence = page.getByText(/right on [\d,]+ rows/);
  const press = page.getByRole('button', { name: /^Measure on/ });
  await expect(sentence.or(press)).toBeVisible({ timeout: SLOW });
  // A run measures itself at its end: the button may go while it is being pressed.
  if (await press.isVisible()) await press.click({ timeout: 5000 }).catch(() => undefined);
  await expect(sentence).toBeVisible({ timeout: SLOW });
  return readSentence(page);
}

/** One row's answer as "Save all as CSV" writes it. */
export interface Answer {
  row: string;
  predicted: string;
  probability: number;
}

/** The answers to all rows, through the Results station's file. */
export async function saveAnswers(page: Page): Promise<Answer[]> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save all as CSV' }).click();
  const text = (await bytesOf(await download)).toString('utf8').replace(/^\ufeff/, '');
  const [head, ...lines] = text.trim().split(/\r?\n/);
  const names = head!.split(',');
  const at = (line: string, name: string) => line.split(',')[names.indexOf(name)]!;
  return lines.map((line) => ({
    row: at(line, 'row'),
    predicted: at(line, 'predicted'),
    probability: Number(at(line, 'probability')),
  }));
}

/** The soft prompt's percentages for the labels of an own text, on the Tune station. */
export async function tryText(page: Page, text: string): Promise<Record<string, number>> {
  await goTo(page, 'Tune');
  await page.getByRole('textbox', { name: 'Your text', exact: true }).fill(text);
  const scores = page.locator('.scores').filter({ has: page.getByRole('heading', { name: /^Soft prompt/ }) });
  const read = () =>
    scores
      .locator('dl > div')
      .evaluateAll((rows) =>
        rows.map((row) => [row.querySelector('dt')?.textContent, row.querySelector('dd')?.textContent]),
      );
  let before = '';
  // Steady when two looks apart show the same numbers.
  await expect
    .poll(
      async () => {
        const now = JSON.stringify(await read());
        const steady = now === before && !now.includes('–');
        before = now;
        return steady;
      },
      { timeout: SLOW, intervals: [1500] },
    )
    .toBe(true);
  return Object.fromEntries((await read()).map(([label, share]) => [label, Number(share)]));
}

/** Downloads the chosen prompt in one form. */
export async function downloadPrompt(
  page: Page,
  form: 'PEFT adapter (.zip)' | 'NumPy (.npy)' | 'JSON',
): Promise<ChosenFile> {
  await goTo(page, 'Prompt');
  const press = async () => {
    const download = page.waitForEvent('download', { timeout: 20_000 });
    await page.getByRole('button', { name: `Download ${form}` }).click();
    return download;
  };
  // A browser may hold a further file back that comes long after its press, as on a busy machine: then it is pressed again.
  const done = await press().catch(press);
  return file(done.suggestedFilename(), await bytesOf(done), 'application/octet-stream');
}

/** Uploads prompt files on the Prompt station; nothing is awaited. */
export async function choosePrompt(page: Page, files: ChosenFile[]): Promise<void> {
  await goTo(page, 'Prompt');
  const upload = page.getByRole('region', { name: 'Bring one back' });
  await choose(page, upload.getByRole('button', { name: 'Choose files' }), files);
}

export async function bytesOf(download: Download): Promise<Buffer> {
  return readFile(await download.path());
}

/** The errors in three parts that stand on the page. */
export function alerts(page: Page): Locator {
  return page.getByRole('alert');
}

/** An error that says what, where and what to do now; dismissed again. */
export async function expectError(
  page: Page,
  what: RegExp,
  where: RegExp | undefined,
  remedy: RegExp,
): Promise<void> {
  const banner = alerts(page).filter({ hasText: what });
  await expect(banner).toBeVisible({ timeout: SLOW });
  if (where) await expect(banner.getByText(/^Where: /)).toHaveText(where);
  await expect(banner).toContainText(remedy);
  await banner.getByRole('button', { name: 'Dismiss' }).click();
  await expect(banner).toHaveCount(0);
}

/** Fails the test when the page throws or logs an error that no journey expects. */
export function watchPage(page: Page): { problems: string[] } {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  return { problems };
}

/** A person who comes back: another page of the same browser profile. */
export async function comeBack(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await openStudio(page);
  return page;
}
