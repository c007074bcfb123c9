/** What surrounds a run: the preflight, the rate finder, the kernels, slices, columns, and figures as files. */
import { expect, test } from '@playwright/test';
import {
  bytesOf,
  goTo,
  measure,
  openStudio,
  readSentence,
  runRows,
  SLOW,
  select,
  setRecipe,
  startTraining,
  TINY_STUDIO,
  train,
  trainButton,
  watchPage,
} from './helpers.ts';

test('before a run: what it needs and takes; a rate is found, and taken', async ({ page }) => {
  const { problems } = watchPage(page);
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { Steps: 60, Batch: 8 });
  await page.getByRole('button', { name: 'Preflight' }).click();
  const preflight = page.getByRole('dialog', { name: 'Preflight' });
  await expect(preflight.getByText(/A run of 60 steps takes about .+ and would end .+\./)).toBeVisible({
    timeout: SLOW,
  });
  await expect(preflight.getByRole('region', { name: 'Memory' })).toContainText(/Largest batch that fits/);
  await expect(preflight.getByRole('region', { name: 'Device' })).toContainText('Subgroups');
  await page.keyboard.press('Escape');
  await expect(page.getByText(/A run needs .+ and takes about .+; it would end /)).toBeVisible();

  await page.getByRole('button', { name: 'Find a learning rate' }).click();
  const rates = page.getByRole('dialog', { name: 'Find a learning rate' });
  await rates.getByRole('button', { name: 'Sweep the rates' }).click();
  await expect(rates.getByRole('table').locator('tbody tr').nth(3)).toBeAttached({ timeout: SLOW });
  await rates.getByRole('button', { name: 'Stop' }).click();
  await expect(rates.getByText('The sweep was stopped.')).toBeVisible({ timeout: SLOW });
  await rates.getByRole('button', { name: 'Sweep again' }).click();
  const take = rates.getByRole('button', { name: /^Take / });
  await expect(take).toBeVisible({ timeout: SLOW });
  const rate = (await take.textContent())!.replace('Take ', '');
  await take.click();
  await expect(page.getByRole('textbox', { name: 'Learning rate' })).toHaveValue(rate);
  // Neither has left a run behind.
  await expect(runRows(page)).toHaveCount(0);
  expect(problems).toEqual([]);
});

test('inside a step: the timeline by keyboard, the shader, the most expensive kernels', async ({ page }) => {
  const { problems } = watchPage(page);
  await openStudio(page, TINY_STUDIO);
  await goTo(page, 'Model');
  await page.getByRole('link', { name: 'What a step costs, kernel by kernel' }).click();
  await page.getByRole('button', { name: 'Measure a step' }).click();
  const timeline = page.getByRole('slider', { name: 'Dispatches of the step' });
  await expect(timeline).toBeVisible({ timeout: SLOW });
  await timeline.focus();
  await page.keyboard.press('Home');
  await expect(timeline).toHaveAttribute('aria-valuetext', /^1 of \d+: .+, forward, /);
  await page.keyboard.press('ArrowRight');
  await expect(timeline).toHaveAttribute('aria-valuetext', /^2 of \d+/);
  await page.keyboard.press('End');
  await expect(timeline).toHaveAttribute('aria-valuetext', /, update, /);
  await expect(page.getByRole('region', { name: /^WGSL of / })).toContainText('@compute');

  const costs = page.getByRole('treegrid', { name: 'Cost of the step' });
  await costs.getByRole('button').first().click();
  const [kernel] = (await costs.getByRole('button').first().textContent())!.split(',');
  await expect(page.getByRole('region', { name: `WGSL of ${kernel}` })).toBeVisible();
  await expect(page.getByRole('table', { name: `Tensors of ${kernel}` })).toContainText('read');
  await expect(page.getByRole('img', { name: /^Roofline: / })).toBeVisible();
  expect(problems).toEqual([]);
});

test('results: a slice by own words lists its rows; beside another on the same rows; a measurement stops at once', async ({
  page,
}) => {
  await openStudio(page, TINY_STUDIO);
  await setRecipe(page, { Steps: 12, Batch: 8 });
  await train(page);
  await measure(page);
  const slices = page.getByRole('region', { name: 'Table of slices' });
  await expect(slices).toContainText('By true label');
  await expect(slices).toContainText(/\d+ to \d+ words/);
  await page.getByRole('textbox', { name: 'Rows with these words' }).fill('the');
  await page.keyboard.press('Enter');
  const slice = slices.getByRole('row').filter({ hasText: 'with “the”' }).first();
  const count = Number(await slice.getByRole('cell').nth(1).textContent());
  expect(count).toBeGreaterThan(0);
  await slice.getByRole('button').click();
  await page.getByRole('button', { name: /wrong rows/ }).click();
  await page.getByRole('option', { name: 'all rows' }).click();
  await expect(page.getByText(new RegExp(`^${count} rows, [\\d.]+ % right$`))).toBeVisible();

  const beside = page.getByRole('region', { name: 'Beside another' });
  await beside.getByRole('button', { name: /nobody/ }).click();
  await page.getByRole('option', { name: /^no prompt/ }).click();
  const verdict = beside.getByText(/exact McNemar test/);
  const press = beside.getByRole('button', { name: /^Measure/ });
  await expect(verdict.or(press)).toBeVisible();
  // The baselines are measured after a run: the button may go while it is being pressed.
  if (await press.isVisible()) await press.click({ timeout: 5000 }).catch(() => undefined);
  await expect(verdict).toBeVisible({ timeout: SLOW });
  await expect(beside).toContainText('Both right');

  await page
    .getByRole('button', { name: /^test\b.*On$|On$/ })
    .first()
    .click();
  await page.getByRole('option', { name: /^dev/ }).click();
  await page.getByRole('button', { name: /^Measure on/ }).click();
  await page.getByRole('main').getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  // Nothing goes on behind: a run can start at once, and nothing was kept.
  const again = page.getByRole('button', { name: /^Measure on/ });
  await expect(again).toBeEnabled();

  await test.step('free answers have a column for what is no label', async () => {
    await select(page, 'Answers by', 'free answer');
    await again.click();
    await readSentence(page);
    const answers = page.getByRole('region', { name: 'Where the answers go' });
    await expect(answers.getByRole('columnheader', { name: 'no label' })).toBeVisible();
  });
});

test('columns are dragged to what they are, by pointer and by keyboard; the link takes it all along', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openStudio(page, `${TINY_STUDIO}&sample=same-meaning`);
  await goTo(page, 'Data');
  const column = (name: string) => page.getByRole('row', { name, exact: true });
  const role = (name: string) =>
    page.locator('.role-target').filter({ hasText: new RegExp(`^${name}: drop`) });
  const chosen = (name: string) => role(name).locator('.select-button');
  await column('text').dragTo(role('Second text'));
  await expect(chosen('Text')).toHaveText('text2');
  await expect(chosen('Second text')).toHaveText('text');
  await column('text').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(300);
  await page.keyboard.press('Enter');
  await expect(chosen('Text')).toHaveText('text');
  await page.getByRole('textbox', { name: 'Template' }).fill('first: {text} second: {text2}');
  await expect(page.locator('.preview')).toContainText('first', { timeout: SLOW });
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: SLOW });

  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await page.getByRole('button', { name: 'Copy link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toContain('template=first');
  const other = await context.newPage();
  await other.goto(link);
  await expect(other.getByRole('textbox', { name: 'Template' })).toHaveValue(
    'first: {text} second: {text2}',
    {
      timeout: SLOW,
    },
  );
});

test('a chart as CSV, SVG and PNG, one after the other; runs are pinned, named, hidden, deleted and back', async ({
  page,
}) => {
  await openStudio(page, `${TINY_STUDIO}&steps=4&batchSize=8&evalEvery=2`);
  await train(page);
  await setRecipe(page, { Seed: 8 });
  await startTraining(page);
  await expect(runRows(page).filter({ hasText: 'done' })).toHaveCount(2, { timeout: SLOW });
  const files: Record<string, Buffer> = {};
  for (const [item, ending] of [
    ['Numbers as CSV', 'csv'],
    ['Picture as SVG', 'svg'],
    ['Picture as PNG', 'png'],
  ] as const) {
    await page.getByRole('button', { name: 'Save the chart Accuracy on dev' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: item }).click();
    const done = await download;
    expect(done.suggestedFilename()).toBe(`accuracy-on-dev.${ending}`);
    files[ending] = await bytesOf(done);
  }
  expect(files.csv!.toString('utf8')).toMatch(/^step,.+\r\n2,/);
  expect(files.svg!.toString('utf8')).toContain('Fact or opinion 2');
  expect(files.png!.subarray(1, 4).toString('latin1')).toBe('PNG');
  // Three times the width of the SVG, in the picture's own header.
  expect(files.png!.readUInt32BE(16)).toBe(2280);

  const act = async (row: number, item: string) => {
    await runRows(page)
      .nth(row)
      .getByRole('button', { name: /^Actions for/ })
      .click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  const name = (row: number) => runRows(page).nth(row).getByRole('cell').first();
  await act(1, 'Pin to the top');
  await expect(name(0)).toHaveText(/Fact or opinion$/);
  await act(0, 'Rename');
  await page.getByRole('textbox', { name: 'Name' }).fill('the first');
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await expect(name(0)).toContainText('the first');
  await act(0, 'Hide from the charts');
  await expect(runRows(page).first()).toHaveAttribute('data-hidden', 'true');
  await act(0, 'Delete');
  await expect(runRows(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(name(0)).toContainText('the first');
});

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds by the wall, and of processor time. */
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

/** Milliseconds, by the wall and of processor time, of each task of the page's own thread in a trace. */
function mainThreadTasks(trace: Buffer): { wall: number; cpu: number }[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => /(^|::)RunTask$/.test(name) && mains.has(`${pid} ${tid}`))
    .map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 }));
}

/**
 * No task of the page over 50 ms while it trains. What counts is processor time: where a software adapter takes every core, a
 * short task may have to wait for its turn, which is nothing the page does.
 */
test('the page stays smooth while it trains', async ({ page, browser }) => {
  await openStudio(page, `${TINY_STUDIO}&steps=400&batchSize=8&evalEvery=25`);
  await trainButton(page).click();
  await expect(runRows(page)).toHaveCount(1, { timeout: SLOW });
  // The first steps load and draw the charts.
  await page.waitForTimeout(2000);
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await page.waitForTimeout(8000);
  const tasks = mainThreadTasks(await browser.stopTracing());
  const longest = tasks.reduce((a, b) => (b.cpu > a.cpu ? b : a));
  const slow = tasks.filter(({ wall }) => wall > 50);
  console.log(
    `${tasks.length} tasks in 8 s of training; the longest took ${longest.cpu.toFixed(1)} ms of processor time; ` +
      `${slow.length} took over 50 ms by the wall.`,
  );
  expect(tasks.length).toBeGreaterThan(100);
  expect(tasks.filter(({ cpu }) => cpu > 50)).toEqual([]);
});
