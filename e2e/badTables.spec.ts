import { writeFile } from 'node:fs/promises';
import { expect, type Page, test } from '@playwright/test';
import { zipSync } from 'fflate';
import {
  alerts,
  type ChosenFile,
  chooseTable,
  dataSummary,
  expectError,
  file,
  goTo,
  openSample,
  openStudio,
  openTable,
  SLOW,
  select,
  trainButton,
} from './helpers.ts';
import { csv, plainRows, topicRows } from './tables.ts';

const few = topicRows().filter((_, i) => i % 4 === 0);

function howRead(page: Page) {
  return page.getByRole('region', { name: 'How the file is read' });
}

test.describe('files that are no table', () => {
  const CASES: { table: ChosenFile; what: RegExp; remedy: RegExp }[] = [
    {
      table: file('report.csv', '%PDF-1.7\n%âãÏÓ\n1 0 obj\n<< /Type /Catalog >>\nendobj\n'),
      what: /report\.csv looks like a PDF document/,
      remedy: /spreadsheet/,
    },
    {
      table: file('photo.csv', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
      what: /photo\.csv looks like a picture/,
      remedy: /Choose a CSV, TSV or JSON Lines file/,
    },
    {
      table: file('book.csv', zipSync({ 'xl/workbook.xml': Buffer.from('<workbook/>') })),
      what: /book\.csv looks like an Excel workbook/,
      remedy: /save it as CSV/,
    },
    { table: file('empty.csv', ''), what: /empty\.csv is empty/, remedy: /Choose a file/ },
    {
      table: file('head.csv', 'text,label\n'),
      what: /head\.csv has a header and no rows below it/,
      remedy: /at least a few rows/,
    },
    {
      table: file('one.csv', 'just words\nand more words\nand a third line\n'),
      what: /one\.csv has only one column/,
      remedy: /comma or a tab/,
    },
    {
      table: file('rows.jsonl', `{"text": "good soup", "label": "food"}\n${'{"text": "broken\n'.repeat(20)}`),
      what: /rows\.jsonl .*line \d+ cannot be read/,
      remedy: /one JSON object on each line/,
    },
  ];

  test('each is refused with what it is, where, and what to do; the sample stays in place', async ({
    page,
  }) => {
    await openStudio(page);
    for (const { table, what, remedy } of CASES)
      await test.step(table.name, async () => {
        await chooseTable(page, table);
        await expectError(page, what, new RegExp(`${table.name}$`), remedy);
        await expect(dataSummary(page)).toContainText('Fact or opinion: 800 rows');
      });
    await goTo(page, 'Tune');
    await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });
  });
});

test('labels that cannot be learnt: one class, 5,000 classes; another column mends it', async ({ page }) => {
  await openStudio(page);
  await chooseTable(page, file('same.csv', csv(few.map(([text]) => [text, 'food']))));
  await expectError(
    page,
    /Every row has the same label, "food"/,
    /same\.csv, column "label"/,
    /at least two labels/,
  );
  await expect(dataSummary(page)).toContainText(/has \d+ rows, but/);

  const many = Array.from({ length: 5000 }, (_, i) => [
    `the soup number ${i} was fine`,
    `label ${i}`,
    i % 3 ? 'a' : 'b',
  ]);
  const refused = (name: string) =>
    expectError(
      page,
      /has 5,000 different labels; at most \d+ can be learnt/,
      new RegExp(`${name}, column "label"`),
      /another column/,
    );
  await chooseTable(page, file('many.csv', csv(many.map((row) => row.slice(0, 2)))));
  await refused('many.csv');
  await expect(dataSummary(page)).toContainText(/has 5,000 rows, but/);

  // With a column that can be the label, that one is taken; the other one is refused and changes nothing.
  await openTable(page, file('kinds.csv', csv(many, ['text', 'label', 'kind'])));
  await expect(dataSummary(page)).toContainText('5,000 rows with 2 labels');
  const asked = page.getByRole('region', { name: 'What the model is asked' });
  await select(asked, 'Label', 'label');
  await refused('kinds.csv');
  await expect(dataSummary(page)).toContainText('5,000 rows with 2 labels');
  await select(asked, 'Label', 'kind');

  await openSample(page, 'Restaurant reviews');
  await expect(alerts(page)).toHaveCount(0);
});

test('rows that are empty are left out and counted; rows too long are cut and counted', async ({ page }) => {
  await openStudio(page);
  const holes = [...few, ['', 'food'], ['   ', 'sport'], ['a row without a label', ''], ['', '']];
  await openTable(page, file('holes.csv', csv(holes)));
  await expect(dataSummary(page)).toContainText(`${few.length} rows with 2 labels`);
  await expect(dataSummary(page)).toContainText(/[34] rows left out/);

  await openTable(
    page,
    file('long.csv', csv([...few, [`the soup ${'was salty and '.repeat(900)}cold`, 'food']])),
  );
  const findings = page.getByRole('region', { name: 'What may be wrong with the rows' });
  await expect(findings).toContainText(/1 row is longer than \d+ tokens .*the end is cut off/);
  await expect(page.getByRole('region', { name: 'Length' })).toContainText(/1 row \([\d.]+ %\) is cut/);

  await test.step('rows twice: shown, removed with one press, back with one', async () => {
    await openTable(page, file('twice.csv', csv([...few, few[0]!, few[1]!])));
    const twice = findings.getByRole('listitem').filter({ hasText: '2 rows repeat an earlier one' });
    await twice.getByRole('button', { name: /^Show/ }).click();
    await expect(twice).toContainText(/soup.*kitchen.*salty/);
    await twice.getByRole('button', { name: 'Remove duplicates' }).click();
    await expect(dataSummary(page)).toContainText(`${few.length} rows`, { timeout: SLOW });
    const mended = findings.getByRole('list', { name: 'Mended' });
    await expect(mended).toContainText('2 rows removed');
    await mended.getByRole('button', { name: 'Undo' }).click();
    await expect(dataSummary(page)).toContainText(`${few.length + 2} rows`, { timeout: SLOW });
    await expect(mended).toHaveCount(0);
  });
  await test.step('a search among the rows', async () => {
    await page.getByRole('searchbox', { name: 'Search the texts' }).fill(few[0]![0].toUpperCase());
    await expect(page.getByText(/^2 rows match$/)).toBeVisible();
  });
  await goTo(page, 'Tune');
  await expect(trainButton(page)).toBeEnabled({ timeout: SLOW });
});

test('encodings and forms of tables are found, and can be changed', async ({ page }) => {
  await openStudio(page);
  const french = few.map(([text, label]): [string, string] => [`${text} à la crème brûlée`, label]);
  const read = howRead(page);

  await test.step('UTF-16', async () => {
    await openTable(page, file('wide.csv', Buffer.from(`\ufeff${csv(french)}`, 'utf16le')));
    await expect(read).toContainText('UTF-16, little-endian');
    await expect(read).toContainText('crème brûlée');
  });
  await test.step('Latin-1, semicolons', async () => {
    await openTable(page, file('latin.csv', Buffer.from(csv(french, ['texte', 'sorte'], ';'), 'latin1')));
    await expect(read).toContainText('Latin-1');
    await expect(read).toContainText('semicolon');
    await expect(read).toContainText('crème brûlée');
    await expect(dataSummary(page)).toContainText(`${few.length} rows with 2 labels`);
  });
  await test.step('no header', async () => {
    await openTable(page, file('bare.csv', csv(few.slice(1), [...few[0]!])));
    await expect(read.getByRole('button', { name: /First row$/ })).toContainText('is data');
    await expect(dataSummary(page)).toContainText(`${few.length} rows with 2 labels`);
  });
  await test.step('newlines and quotes within cells', async () => {
    const lines = few.map(([text, label]): [string, string] => [`${text},\n"twice",\nand more`, label]);
    await openTable(page, file('lines.csv', csv(lines)));
    await expect(dataSummary(page)).toContainText(`${few.length} rows with 2 labels`);
    await expect(read).toContainText('"twice"');
  });
  await test.step('JSON Lines', async () => {
    const lines = few.map(([text, label]) => JSON.stringify({ text, label })).join('\n');
    await openTable(page, file('rows.jsonl', lines));
    await expect(read).toContainText('JSON LINES');
    await expect(dataSummary(page)).toContainText(`${few.length} rows with 2 labels`);
  });
  await test.step('tabs, read otherwise by a person', async () => {
    await openTable(page, file('tabs.tsv', csv(few, ['text', 'label'], '\t')));
    await expect(read).toContainText('tab');
    await select(read, 'First row', 'is data');
    await expect(dataSummary(page)).toContainText(`${few.length + 1} rows`, { timeout: SLOW });
  });
});

test('100,000 rows open without holding the page up', async ({ page }) => {
  test.setTimeout(300_000);
  await openStudio(page);
  await goTo(page, 'Data');
  await page.evaluate(() => {
    const tasks: number[] = [];
    new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map((entry) => entry.duration)),
    ).observe({
      entryTypes: ['longtask'],
    });
    Object.assign(window, { longTasks: tasks });
  });
  const longest = () =>
    page.evaluate(() => Math.max(0, ...(window as unknown as { longTasks: number[] }).longTasks.splice(0)));

  // From the disk, as a person's: bytes handed over by the test would be unpacked on the page.
  const onDisk = async (name: string, rows: number) => {
    const path = test.info().outputPath(name);
    await writeFile(path, csv(plainRows(rows)));
    return { name, path };
  };
  // Drawing the station takes its time on a busy machine, however few the rows: what counts is that many take no more.
  await openTable(page, await onDisk('small.csv', 100));
  const few = await longest();
  await openTable(page, await onDisk('large.csv', 100_000));
  await expect(dataSummary(page)).toContainText('100,000 rows with 2 labels');
  const many = await longest();
  test.info().annotations.push({
    type: 'longest task on the page, ms',
    description: `${few} with 100 rows, ${many} with 100,000`,
  });
  expect(many).toBeLessThan(Math.max(200, 3 * few));

  const grid = page.getByRole('treegrid', { name: 'Rows of the table' });
  await grid.getByRole('row').nth(1).focus();
  await page.keyboard.press('End');
  await expect(grid.getByRole('row', { name: /100,000/ })).toBeVisible({ timeout: SLOW });
});
