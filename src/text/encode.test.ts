import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binLengths, encodeExamples, truncate } from './encode.ts';
import { loadTokenizer } from './tokenizer.ts';

const tokenizer = loadTokenizer(
  JSON.parse(readFileSync(new URL('../../public/models/tokenizer.json', import.meta.url), 'utf8')),
);

describe('encodeExamples', () => {
  it('cuts long rows before their end token, and counts them', async () => {
    const texts = ['', 'good', 'a good film that is much too long for this'];
    const { ids, truncated, lengthCounts } = await encodeExamples(texts, tokenizer, 4);
    const full = tokenizer.encode(texts[2]!, { special: true });
    expect(ids).toEqual([[1], [...tokenizer.encode('good'), 1], [...full.slice(0, 3), 1]]);
    expect(truncated).toBe(1);
    expect(lengthCounts[1]).toBe(1);
    expect(lengthCounts[2]).toBe(1);
    expect(lengthCounts[full.length]).toBe(1);
    expect(lengthCounts.reduce((sum, each) => sum + each)).toBe(3);
  });

  it('pauses for the page, tells how far it is, and can be cancelled', async () => {
    const texts = Array.from(
      { length: 20_000 },
      (_, i) => `row ${i} of a longer table with number ${i * 7919}`,
    );
    const done: number[] = [];
    await encodeExamples(texts, tokenizer, 32, { onProgress: (progress) => done.push(progress.done) });
    expect(done.length).toBeGreaterThan(2);
    expect(done.at(-1)).toBe(20_000);
    expect(done).toEqual([...done].sort((a, b) => a - b));

    const control = new AbortController();
    const run = encodeExamples(texts, tokenizer, 32, {
      signal: control.signal,
      onProgress: () => control.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('takes no rows', async () => {
    expect(await encodeExamples([], tokenizer, 8)).toEqual({ ids: [], truncated: 0, lengthCounts: [] });
  });
});

describe('truncate', () => {
  it('without an end token keeps the beginning', () => {
    expect(truncate([5, 6, 7], 2, undefined)).toEqual([5, 6]);
    expect(truncate([5, 6, 7], 2, 1)).toEqual([5, 6]);
    expect(truncate([5, 6, 1], 2, 1)).toEqual([5, 1]);
    expect(truncate([5, 1], 1, 1)).toEqual([1]);
  });
});

describe('binLengths', () => {
  it('counts every row once in at most that many bars of one round width', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { maxLength: 400 }),
        fc.integer({ min: 1, max: 40 }),
        (counts, bins) => {
          const bars = binLengths(counts, bins);
          expect(bars.length).toBeLessThanOrEqual(bins);
          const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
          expect(sum(bars.map((bar) => bar.count))).toBe(sum(counts));
          bars.forEach((bar, i) => {
            expect(bar.from).toBe(i === 0 ? 0 : bars[i - 1]!.to + 1);
          });
        },
      ),
    );
  });
});
