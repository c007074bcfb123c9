import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { examine, guessRoles, labelCounts, loadSampleIndex, makeExamples, readTable } from './index.ts';

const folder = new URL('../../public/samples/', import.meta.url);
const fetchJson = async (): Promise<unknown> =>
  JSON.parse(await readFile(new URL('index.json', folder), 'utf8'));

const index = await loadSampleIndex(fetchJson);

describe('samples', () => {
  it('are seven', () => {
    expect(index.samples).toHaveLength(7);
    expect(new Set(index.samples.map((sample) => sample.id)).size).toBe(7);
  });

  it.each(index.samples)('$id is what the index says', async (sample) => {
    const table = await readTable({ name: sample.file, data: await readFile(new URL(sample.file, folder)) });
    expect(table).toMatchObject({ format: 'csv', header: true, encoding: 'utf-8', warnings: [] });
    expect(table.rows).toHaveLength(sample.rows);
    expect(guessRoles(table)).toEqual(sample.roles);
    const { examples, findings } = makeExamples(table, sample.roles);
    expect(findings).toEqual([]);
    const byName = (a: { label: string }, b: { label: string }) => (a.label < b.label ? -1 : 1);
    expect(labelCounts(examples).sort(byName)).toEqual([...sample.labels].sort(byName));
    expect(Object.keys(sample.verbalizers)).toEqual(sample.labels.map(({ label }) => label));
    expect(new Set(Object.values(sample.verbalizers)).size).toBe(sample.labels.length);
    expect(sample.writtenPrompt).toContain('{text}');
    expect(sample.writtenPrompt.includes('{text2}')).toBe(sample.roles.text2 !== undefined);
    expect(examine(examples)).toEqual([]);
  });

  it('of which one is broken are refused with the place', async () => {
    const value = (await fetchJson()) as { samples: { rows: unknown }[] };
    value.samples[2]!.rows = 'many';
    await expect(loadSampleIndex(async () => value)).rejects.toMatchObject({
      code: 'download',
      message: expect.stringContaining('samples.2.rows'),
    });
    await expect(loadSampleIndex(async () => ({ ...index, opening: 'nothing' }))).rejects.toMatchObject({
      code: 'download',
    });
    await expect(loadSampleIndex(() => Promise.reject(new TypeError('offline')))).rejects.toMatchObject({
      code: 'download',
    });
  });
});
