import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeExamples, readTable, split } from '../data/index.ts';
import { loadTokenizer, makeVerbalizers, type Tokenizer } from '../text/index.ts';
import { createDatasetDesk, type DatasetDesk } from './dataset.ts';
import type { Finding, TaskReport, TaskSettings } from './protocol.ts';
import { wordsFor } from './taskSuggestion.ts';
import { builtinTokenizer, csv, publicFile, rowsOf, servePublic } from './testing.ts';

const none = () => undefined;
const SAMPLES = [
  'film-reviews',
  'questions',
  'fact-or-opinion',
  'headlines',
  'support-messages',
  'restaurant-reviews',
  'same-meaning',
];

let tokenizer: Tokenizer;
let model: { tokenizer: Tokenizer };
let server: Awaited<ReturnType<typeof servePublic>>;
let desk: DatasetDesk;
beforeAll(async () => {
  tokenizer = await builtinTokenizer();
  model = { tokenizer };
  server = await servePublic();
});
afterAll(() => server.close());
beforeEach(() => {
  desk = createDatasetDesk({ samplesUrl: `${server.url}samples/` });
});

async function openFile(file: File): Promise<TaskSettings> {
  await desk.openData({ kind: 'file', file }, {}, none);
  return desk.suggestTask(model);
}
const openSample = async (id: string): Promise<TaskSettings> => {
  await desk.openData({ kind: 'sample', id }, {}, none);
  return desk.suggestTask(model);
};
const finding = (report: TaskReport, id: string): Finding | undefined =>
  report.findings.find((each) => each.id === id);

describe('the samples', () => {
  it('are listed', async () => {
    const cards = await desk.listSamples();
    expect(cards.map(({ id }) => id)).toEqual(SAMPLES);
    expect(cards[1]).toMatchObject({ rows: 900, labels: expect.arrayContaining(['person', 'reason']) });
  });

  it.each(SAMPLES)('%s is ready at one press', async (id) => {
    const card = (await desk.listSamples()).find((each) => each.id === id)!;
    const data = await desk.openData({ kind: 'sample', id }, {}, none);
    expect(data).toMatchObject({ name: card.title, format: 'CSV', rows: card.rows, warnings: [] });
    const settings = await desk.suggestTask(model);
    expect(settings).toMatchObject({ appendEos: false, maxTokens: 48, roles: data.guessedRoles });
    const report = await desk.setTask(settings, model, none);
    const { counts } = report;
    expect(counts.train + counts.dev + counts.test).toBe(card.rows);
    expect(counts.leftOut).toBe(0);
    expect(report.findings.filter(({ severity }) => severity === 'warning')).toEqual([]);
    expect(report.labels.every(({ tokens }) => tokens.length === 1)).toBe(true);
    expect(report.lengths.counts.reduce((sum, n) => sum + n, 0)).toBe(card.rows);

    const task = desk.task()!;
    expect(task.labels).toEqual(report.labels.map(({ label }) => label));
    const words = task.labels.map((label) => ({ label, words: [settings.verbalizers[label]!] }));
    expect(task.verbalizers).toEqual(makeVerbalizers(words, tokenizer, { appendEos: false }));
    for (const example of task.examples) {
      expect(example.ids.at(-1)).toBe(tokenizer.eosId);
      expect(example.ids.length).toBeLessThanOrEqual(48);
      expect(example.ids).toEqual(task.encodeText(example.text, example.text2));
    }
    // The split is the data room's own, row for row.
    const table = await readTable({ name: id, data: await publicFile(`samples/${id}.csv`) });
    const { examples } = makeExamples(table, settings.roles);
    const { train, dev, test } = split(examples, { train: 0.7, dev: 0.15, test: 0.15, seed: 7 });
    expect({ train: task.train, dev: task.dev, test: task.test }).toEqual({ train, dev, test });
    expect(task.examples.map(({ row, label }) => [row, task.labels[label]])).toEqual(
      examples.map(({ row, label }) => [row, label]),
    );
    const count = (part: number[]) =>
      part.filter((i) => examples[i]!.label === task.majority.label).length / part.length;
    expect(task.majority).toMatchObject({ dev: count(dev), test: count(test) });
  });

  it('split by the last quarter as the reference does', async () => {
    const settings = await openSample('questions');
    await desk.setTask({ ...settings, split: { kind: 'last-quarter', dev: 0.15, seed: 1 } }, model, none);
    expect(desk.task()!.test).toEqual(Array.from({ length: 225 }, (_, i) => 675 + i));
  });

  it('that are not there, or a server that is not, are told', async () => {
    await expect(openSample('poems')).rejects.toMatchObject({ code: 'download' });
    const offline = createDatasetDesk({
      samplesUrl: 'http://127.0.0.1/samples/',
      fetch: () => Promise.reject(new TypeError('offline')),
    });
    await expect(offline.listSamples()).rejects.toMatchObject({ code: 'download' });
  });
});

describe('a suggestion', () => {
  it('makes words, written prompt and end token of a file of its own labels', async () => {
    const settings = await openFile(csv(rowsOf(['not_spam', 'Positive', 'no', 'no time'], 4)));
    expect(Object.keys(settings.verbalizers).sort()).toEqual(['Positive', 'no', 'no time', 'not_spam']);
    expect(settings.verbalizers).toMatchObject({ not_spam: 'not spam', Positive: 'Positive', no: 'no' });
    expect(settings.writtenPrompt.split(' or ').sort().join('|')).toContain('not spam');
    expect(settings.writtenPrompt).toMatch(/^.+ or .+ or .+ or .+ : \{text\}$/);
    expect(settings.appendEos).toBe(true);
    const { labels } = await desk.setTask(settings, model, none);
    expect(labels.find(({ label }) => label === 'no')!.tokens).toHaveLength(1);
    expect(desk.task()!.verbalizers.every(({ ids }) => ids.at(-1) === tokenizer.eosId)).toBe(true);
  });

  it('puts the space into the answer’s tokens where a decoder goes on with its input', async () => {
    const gpt2 = loadTokenizer(
      JSON.parse(
        await readFile(new URL('../text/testdata/bpe-gpt2.json', import.meta.url), 'utf8'),
      ) as unknown,
    );
    await openFile(csv(rowsOf(['the', 'and'], 4)));
    const tokensOf = async (continues: boolean) => {
      const decoder = { tokenizer: gpt2, continues };
      const { labels } = await desk.setTask(await desk.suggestTask(decoder), decoder, none);
      return labels.map(({ word, tokens }) => `${word}: ${tokens.join(' ')}`).sort();
    };
    expect(await tokensOf(true)).toEqual(['and: Ġand', 'the: Ġthe']);
    const { verbalizers, encodeAnswer } = desk.task()!;
    expect(verbalizers.map(({ ids }) => ids)).toEqual(verbalizers.map(({ text }) => encodeAnswer(text)));
    expect((await tokensOf(false)).every((line) => !line.includes('Ġ'))).toBe(true);
  });

  it('writes labels as the tokenizer reads them in fewest tokens', () => {
    // One token for a known word, else one for each letter; "?" is unknown.
    const known = ['not', 'spam', 'good', 'Bad'];
    const encode = (text: string) =>
      text
        .split(' ')
        .flatMap((word) =>
          known.includes(word) ? [known.indexOf(word)] : [...word].map((c) => c.codePointAt(0)!),
        )
        .map((id) => (id === 63 ? 1000 : id));
    const stub: Tokenizer = { encode, decode: () => '', token: String, size: 2000, unkId: 1000 };
    const words = wordsFor(['NOT_SPAM', 'Good', 'Bad', 'what?', 'good', '1'], stub);
    expect([...words.values()]).toEqual(['not spam', 'good', 'Bad', '2', '3', '1']);
  });

  it('gives labels that the model cannot read or tell apart their numbers', async () => {
    const settings = await openFile(csv(rowsOf(['😀', '😡', 'constructor', '{a}'], 4)));
    const words = Object.values(settings.verbalizers);
    expect(new Set(words.map((word) => tokenizer.encode(word).join())).size).toBe(4);
    const report = await desk.setTask(settings, model, none);
    expect(report.labels.map(({ label }) => label).sort()).toEqual(['constructor', '{a}', '😀', '😡']);
    expect(finding(report, 'verbalizer:unknown-token:😀')).toBeUndefined();
    expect(desk.task()!.encodeText('x', undefined, settings.writtenPrompt).length).toBeGreaterThan(3);
  });

  it('works without a model, and takes other columns', async () => {
    const file = csv(
      rowsOf(['a', 'b'], 6).map(([text, label], i) => [text!, label!, `tone_${i % 3}`]),
      'own.csv',
      ['text', 'label', 'tone'],
    );
    await desk.openData({ kind: 'file', file }, {}, none);
    expect(await desk.suggestTask()).toMatchObject({ maxTokens: 48, verbalizers: { a: 'a', b: 'b' } });
    const other = await desk.suggestTask(model, { text: 'text', label: 'tone' });
    expect(Object.keys(other.verbalizers)).toEqual(['tone_0', 'tone_1', 'tone_2']);
    expect(other.roles.label).toBe('tone');
  });

  it('raises the limit of tokens for long texts, up to 128', async () => {
    const long = (words: number) =>
      rowsOf(['good', 'bad'], 20).map(([text, label]) => [`${text} ${'word '.repeat(words)}`, label!]);
    const limit = async (words: number) => (await openFile(csv(long(words)))).maxTokens;
    expect(await limit(3)).toBe(48);
    const middle = await limit(60);
    expect(middle % 8).toBe(0);
    expect(middle).toBeGreaterThan(60);
    expect(middle).toBeLessThan(128);
    expect(await limit(400)).toBe(128);
  });

  it('stands back from labels that cannot be learned, which setting the task then refuses', async () => {
    const settings = await openFile(csv(rowsOf(['only'], 5)));
    expect(settings.verbalizers).toEqual({});
    await expect(desk.setTask(settings, model, none)).rejects.toMatchObject({ code: 'bad-labels' });
    const many = Array.from({ length: 60 }, (_, i) => `label ${i}`);
    const crowded = await openFile(csv(rowsOf(many, 2)));
    await expect(desk.setTask(crowded, model, none)).rejects.toMatchObject({
      code: 'bad-labels',
      message: expect.stringContaining('60 different labels'),
    });
  });
});

describe('a task', () => {
  it('reads pairs, other templates and written prompts', async () => {
    const settings = await openSample('same-meaning');
    await desk.setTask({ ...settings, template: '{text2} / {text}', maxTokens: 12 }, model, none);
    const task = desk.task()!;
    const cut = (text: string, limit: number) => {
      const ids = tokenizer.encode(text, { special: true });
      return ids.length <= limit ? ids : [...ids.slice(0, limit - 1), tokenizer.eosId!];
    };
    const { text, text2, ids } = task.examples[0]!;
    expect(ids).toEqual(cut(`${text2} / ${text}`, 12));
    const words = tokenizer.encode('same or different :  ').length;
    expect(task.encodeText(text, text2, settings.writtenPrompt)).toEqual(
      cut(`same or different : ${text} ${text2}`, 12 + words),
    );
    expect(() => task.encodeText(text, undefined)).toThrow('text2');
    const view = await desk.readText(` ${text} `, text2);
    expect(view).toMatchObject({ row: -1, label: '', truncated: true });
    expect(view.tokens).toEqual(ids.map((id) => tokenizer.token(id)));
    expect((await desk.readRow(task.examples[0]!.row)).tokens).toEqual(view.tokens);
    await expect(desk.readRow(99_999)).rejects.toMatchObject({ code: 'bad-table' });
  });

  it('tells of what is cut off', async () => {
    const settings = await openSample('film-reviews');
    const report = await desk.setTask({ ...settings, maxTokens: 10 }, model, none);
    const long = desk
      .task()!
      .examples.filter(({ text }) => tokenizer.encode(text, { special: true }).length > 10);
    expect(long.length).toBeGreaterThan(100);
    expect(report.lengths.truncated).toBe(long.length);
    expect(finding(report, 'truncated')).toMatchObject({
      severity: 'warning',
      rows: long.map(({ row }) => row),
      message: expect.stringContaining(`longest has ${report.lengths.longest}`),
    });
  });

  it('tells of signs that the model has no token for, by name', async () => {
    const rows: [string, string][] = Array.from({ length: 12 }, (_, i) => [
      i < 6 ? `the soup ${i} was cold` : `une crème brûlée, numéro ${i}`,
      i % 2 ? 'food' : 'sport',
    ]);
    const settings = await openFile(csv(rows));
    const unknown = finding(await desk.setTask(settings, model, none), 'unknown-tokens');
    expect(unknown).toMatchObject({ severity: 'warning', rows: [6, 7, 8, 9, 10, 11] });
    expect(unknown!.message).toMatch(/^6 rows hold signs .*\(.*û.*\): it reads <unk> there\./);
    // Samples are of the models' own language.
    const own = await desk.setTask(await openSample('questions'), model, none);
    expect(finding(own, 'unknown-tokens')).toBeUndefined();
  });

  it('refuses settings that are off and keeps the one before', async () => {
    const settings = await openSample('questions');
    await desk.setTask(settings, model, none);
    const before = desk.task();
    const refused = (changes: Partial<TaskSettings>, code: string) =>
      expect(desk.setTask({ ...settings, ...changes }, model, none)).rejects.toMatchObject({ code });
    await refused({ template: 'no field' }, 'bad-template');
    await refused({ template: '{text2}' }, 'bad-template');
    await refused({ writtenPrompt: '{text' }, 'bad-template');
    await refused({ maxTokens: 0 }, 'bad-recipe');
    await refused({ maxTokens: Number.NaN }, 'bad-recipe');
    await refused({ split: { kind: 'stratified', train: 0.9, dev: 0.9, test: 0, seed: 1 } }, 'bad-recipe');
    await refused({ roles: { text: 'text', label: 'nothing' } }, 'bad-table');
    await refused({ verbalizers: { ...settings.verbalizers, person: 'place' } }, 'bad-labels');
    expect(desk.task()).toBe(before);
    await desk.setTask({ ...settings, writtenPrompt: '' }, model, none);
    await expect(
      desk.openData({ kind: 'file', file: new File([new Uint8Array(9)], 'a.bin') }, {}, none),
    ).rejects.toMatchObject({ code: 'bad-table' });
    expect(desk.task()).toBeDefined();
    await desk.openData({ kind: 'sample', id: 'headlines' }, {}, none);
    expect(desk.task()).toBeUndefined();
    await expect(desk.rows({ start: 0, count: 1 })).rejects.toMatchObject({ code: 'bad-labels' });
  });

  it('tells of verbalizers that are long or begin one another', async () => {
    const settings = await openSample('restaurant-reviews');
    const report = await desk.setTask(
      { ...settings, verbalizers: { negative: 'not good', positive: 'not good at all' } },
      model,
      none,
    );
    expect(finding(report, 'verbalizer:prefix:negative:positive')).toMatchObject({ severity: 'warning' });
    expect(finding(report, 'verbalizer:several-tokens:negative')).toMatchObject({ severity: 'note' });
    expect(report.findings.every(({ mend }) => mend === undefined)).toBe(true);
  });

  it('leaves out what no part takes', async () => {
    const settings = await openSample('questions');
    const half = { kind: 'stratified', train: 0.3, dev: 0.2, test: 0, seed: 1 } as const;
    const report = await desk.setTask({ ...settings, split: half }, model, none);
    expect(report.counts).toEqual({ examples: 450, train: 270, dev: 180, test: 0, leftOut: 450 });
    expect(finding(report, 'empty-test')).toBeDefined();
    expect(desk.task()!.examples).toHaveLength(450);
  });
});

describe('rows', () => {
  it('are found by words, label and part, page by page', async () => {
    await desk.setTask(await openSample('questions'), model, none);
    const { examples, labels } = desk.task()!;
    const all = await desk.rows({ start: 890, count: 50 });
    expect(all.total).toBe(900);
    expect(all.rows).toHaveLength(10);
    const wanted = examples.filter(
      ({ text, part, label }) =>
        part === 'dev' && labels[label] === 'place' && text.toLowerCase().includes('the'),
    );
    const found = await desk.rows({ start: 0, count: 900, search: ' THE', part: 'dev', label: 'place' });
    expect(found.rows.map(({ row }) => row)).toEqual(wanted.map(({ row }) => row));
    expect(found.rows[0]).toEqual({
      row: wanted[0]!.row,
      text: wanted[0]!.text,
      label: 'place',
      part: 'dev',
    });
    expect(await desk.rows({ start: 0, count: 5, search: 'no such words' })).toEqual({ total: 0, rows: [] });
  });
});
