import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { examine } from '../data/index.ts';
import type { Tokenizer } from '../text/index.ts';
import { createDatasetDesk, type DatasetDesk } from './dataset.ts';
import type { Finding, Progress, TaskReport, TaskSettings } from './protocol.ts';
import { builtinTokenizer, csv, publicFile, rowsOf } from './testing.ts';

const none = () => undefined;
const sampleFetch: typeof fetch = async (url) =>
  new Response(new Uint8Array(await publicFile(String(url).slice('http://127.0.0.1/'.length))));
let tokenizer: Tokenizer;
let model: { tokenizer: Tokenizer };
let desk: DatasetDesk;
beforeAll(async () => {
  tokenizer = await builtinTokenizer();
  model = { tokenizer };
});
beforeEach(() => {
  desk = createDatasetDesk({ samplesUrl: 'http://127.0.0.1/samples/', fetch: sampleFetch });
});

async function openFile(file: File): Promise<TaskSettings> {
  await desk.openData({ kind: 'file', file }, {}, none);
  return desk.suggestTask(model);
}
const finding = (report: TaskReport, id: string): Finding | undefined =>
  report.findings.find((each) => each.id === id);

describe('own files for dev and test', () => {
  it('are their parts, with row numbers of their own', async () => {
    const settings = await openFile(csv([...rowsOf(['good', 'bad'], 20).slice(1), ['', 'good']]));
    const devFile = csv([...rowsOf(['good', 'bad'], 5, 'dev row'), ['', 'good']], 'dev.csv');
    const testFile = csv(rowsOf(['bad', 'good'], 6, 'test row'), 'test.csv');
    const report = await desk.setTask({ ...settings, devFile, testFile }, model, none);
    expect(report.counts).toEqual({ examples: 61, train: 39, dev: 10, test: 12, leftOut: 2 });
    expect(new Set(report.findings.map(({ id }) => id)).size).toBe(report.findings.length);
    expect(finding(report, 'empty-text:dev.csv')).toMatchObject({
      rows: [50],
      message: expect.stringMatching(/^dev\.csv: /),
    });
    const task = desk.task()!;
    expect(task.examples[task.test[0]!]).toMatchObject({ row: 51, text: 'The test row number 0 is here' });
    expect((await desk.readRow(51)).label).toBe('bad');

    const justTest = await desk.setTask({ ...settings, testFile }, model, none);
    expect(justTest.counts).toMatchObject({ train: 33, dev: 6, test: 12 });
    const quarter = { kind: 'last-quarter', dev: 0.25, seed: 1 } as const;
    const justDev = await desk.setTask({ ...settings, devFile, split: quarter }, model, none);
    expect(justDev.counts).toMatchObject({ train: 30, dev: 10, test: 9 });
  });

  it('are refused with their names', async () => {
    const settings = await openFile(csv(rowsOf(['good', 'bad'], 20)));
    const refused = (testFile: File) =>
      expect(desk.setTask({ ...settings, testFile }, model, none)).rejects.toMatchObject({
        code: 'bad-table',
        where: expect.stringContaining(testFile.name),
      });
    await refused(csv(rowsOf(['good'], 3), 'other.csv', ['words', 'label']));
    await refused(new File([new Uint8Array([0x50, 0x4b, 3, 4, 0, 0])], 'test.xlsx'));
    await refused(csv([['', 'good']], 'hollow.csv'));
  });

  it('with copies of the training rows are mended, but never to nothing', async () => {
    const rows = rowsOf(['good', 'bad'], 10);
    const settings = await openFile(csv(rows));
    const some = csv([...rows.slice(0, 4), ...rowsOf(['good', 'odd'], 2, 'test row')], 'test.csv');
    const report = await desk.setTask({ ...settings, testFile: some }, model, none);
    expect(finding(report, 'leak-test')).toMatchObject({ mend: 'Remove the copies outside test' });
    expect(finding(report, 'unseen-label')).toMatchObject({ rows: [25, 27] });
    const mended = await desk.mend('leak-test');
    expect(mended.counts.test).toBe(8);
    expect(mended.counts.train + mended.counts.dev).toBe(16);
    expect(finding(mended, 'leak-test')).toBeUndefined();

    await desk.setTask({ ...settings, testFile: csv(rows, 'same.csv') }, model, none);
    const before = desk.task();
    await expect(desk.mend('leak-test')).rejects.toMatchObject({ code: 'bad-labels' });
    expect(desk.task()).toBe(before);
  });
});

describe('mending', () => {
  const dirty = () =>
    csv([
      ...rowsOf(['good', 'bad'], 20),
      ['The row number 0 is here', 'good'],
      ['The row number 1 is here', 'bad'],
      ['A fine caf\u00c3\u00a9', 'Good'],
      ['Quite another text', 'rare'],
      ['...', 'bad'],
    ]);

  it('does each finding by one press, and undoes it by one', async () => {
    const settings = await openFile(dirty());
    const first = await desk.setTask(settings, model, none);
    expect(first.findings.filter(({ mend }) => mend).map(({ id, mend }) => [id, mend])).toEqual(
      expect.arrayContaining([
        ['duplicate', 'Remove duplicates'],
        ['label-spelling:good', 'Merge into "good"'],
        ['no-letters', 'Remove these rows'],
        ['encoding:repair', 'Repair letters'],
        ['few-examples:rare', 'Remove this row'],
      ]),
    );
    const noCopies = await desk.mend('duplicate');
    expect(noCopies.counts).toMatchObject({ examples: 43, leftOut: 2 });
    expect(noCopies.mended).toEqual(['2 rows removed: duplicates']);
    const merged = await desk.mend('label-spelling:good');
    expect(merged.labels.map(({ label, count }) => [label, count])).toEqual([
      ['bad', 21],
      ['good', 21],
      ['rare', 1],
    ]);
    await desk.mend('encoding:repair');
    await desk.mend('few-examples:rare');
    const clean = await desk.mend('no-letters');
    expect(clean.findings.filter(({ mend }) => mend)).toEqual([]);
    expect(desk.task()!.mended).toEqual([
      'duplicate',
      'label-spelling:good',
      'encoding:repair',
      'few-examples:rare',
      'no-letters',
    ]);
    expect(desk.task()!.examples.some(({ text }) => text === 'A fine café')).toBe(true);
    expect(
      examine(desk.task()!.examples.map((e) => ({ ...e, label: desk.task()!.labels[e.label]! }))),
    ).toEqual([]);
    for (let i = 0; i < 4; i++) await desk.undoMend();
    expect(await desk.undoMend()).toEqual(first);
    expect(await desk.undoMend()).toEqual(first);
  });

  it('twice the same changes nothing more', async () => {
    await desk.setTask(await openFile(dirty()), model, none);
    const once = await desk.mend('duplicate');
    expect(await desk.mend('duplicate')).toEqual(once);
    expect(await desk.mend('no such finding')).toEqual(once);
  });

  it('takes quick presses one after the other, and waits for settings under way', async () => {
    const settings = await openFile(dirty());
    await desk.setTask(settings, model, none);
    const task = desk.setTask({ ...settings, template: 'x {text}' }, model, none);
    const mends = Promise.all([desk.mend('duplicate'), desk.mend('no-letters'), desk.mend('duplicate')]);
    expect((await task).mended).toEqual([]);
    expect((await mends).map(({ mended }) => mended.length)).toEqual([1, 2, 2]);
    expect(desk.task()).toMatchObject({
      settings: { template: 'x {text}' },
      mended: ['duplicate', 'no-letters'],
    });
  });

  it('keeps the other rows in their parts, and outlives other settings', async () => {
    const settings = await openFile(dirty());
    await desk.setTask(settings, model, none);
    const parts = () => new Map(desk.task()!.examples.map(({ row, part }) => [row, part]));
    const before = parts();
    await desk.mend('duplicate');
    for (const [row, part] of parts()) expect(part).toBe(before.get(row));
    const split = { kind: 'stratified', train: 0.6, dev: 0.2, test: 0.2, seed: 3 } as const;
    const report = await desk.setTask({ ...settings, template: 'say: {text}', split }, model, none);
    expect(report.mended).toHaveLength(1);
    expect(finding(report, 'duplicate')).toBeUndefined();
    const back = await desk.undoMend();
    expect(finding(back, 'duplicate')).toBeDefined();
    expect(back.settings.split).toEqual(split);
    // Other rows, other findings.
    await desk.mend('duplicate');
    const swapped = await desk.setTask(
      { ...settings, devFile: csv(rowsOf(['good', 'bad'], 3, 'd')) },
      model,
      none,
    );
    expect(swapped.mended).toEqual([]);
  });
});

describe('much data', () => {
  const many = () => csv(rowsOf(['good', 'bad'], 6000), 'many.csv');

  it('is read with progress, and only once', async () => {
    const settings = await openFile(many());
    const seen: Progress[] = [];
    const watch = (progress: Progress) => seen.push(progress);
    await desk.setTask(settings, model, watch);
    expect(seen.at(-1)).toMatchObject({ unit: 'examples', done: 12_000, total: 12_000 });
    const ids = desk.task()!.examples[5]!.ids;
    seen.length = 0;
    const changes: Partial<TaskSettings>[] = [
      { maxTokens: 6 },
      { appendEos: true },
      { verbalizers: { good: 'yes', bad: 'no' } },
      { split: { kind: 'stratified', train: 0.5, dev: 0.25, test: 0.25, seed: 1 } },
      { writtenPrompt: 'good or bad? {text}' },
    ];
    for (const change of changes) await desk.setTask({ ...settings, ...change }, model, watch);
    expect(seen).toEqual([]);
    expect(desk.task()!.examples[5]!.ids).toBe(ids);
    await desk.setTask({ ...settings, template: 'x {text}' }, model, watch);
    expect(seen.at(-1)!.done).toBe(12_000);
  });

  it('gives way to newer settings', async () => {
    const settings = await openFile(many());
    const first = desk.setTask({ ...settings, template: 'a {text}' }, model, none);
    const second = desk.setTask({ ...settings, template: 'b {text}' }, model, none);
    const [a, b] = await Promise.allSettled([first, second]);
    expect(a).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    expect(b.status).toBe('fulfilled');
    expect(desk.task()!.settings.template).toBe('b {text}');
  });

  it('gives way to other data, whose task it must not become', async () => {
    const settings = await openFile(many());
    const late = desk.setTask(settings, model, none).catch((error: unknown) => error);
    await desk.openData({ kind: 'sample', id: 'questions' }, {}, none);
    expect(await late).toMatchObject({ code: 'cancelled' });
    expect(desk.task()).toBeUndefined();
  });
});
