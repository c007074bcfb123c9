import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computing } from '../testing/hostile.ts';
import { MAX_ROWS, readTable, type TableOptions } from './index.ts';
import { utf8, utf16 } from './testdata/bytes.ts';

const read = (data: Uint8Array | string, options?: TableOptions) =>
  readTable({ name: 'data.csv', data: typeof data === 'string' ? utf8(data) : data }, options);

describe('properties', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', 'Z', ' ', '"', ',', ';', '\t', '|', '\n', 'é', '你', '😀', "'", '0'),
    maxLength: 12,
  });
  const tables = fc.integer({ min: 2, max: 5 }).chain((width) =>
    fc.record({
      rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 2, maxLength: 30 }),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      newline: fc.constantFrom('\n', '\r\n', '\r'),
      quoteAll: fc.boolean(),
      atEnd: fc.boolean(),
      wide: fc.constantFrom('utf-8', 'utf-16le', 'utf-16be'),
    }),
  );

  it('reads back what was written, for any delimiter, line end and encoding', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ rows, delimiter, newline, quoteAll, atEnd, wide }) => {
        // A row of one empty cell is a blank line; rows here have two cells at least.
        const special = new RegExp(`["\\n${delimiter === '|' ? '\\|' : delimiter}]`);
        const quote = (c: string) =>
          quoteAll || special.test(c) ? `"${c.replaceAll('"', '""').replaceAll('\n', newline)}"` : c;
        const text = rows.map((row) => row.map(quote).join(delimiter)).join(newline) + (atEnd ? newline : '');
        const bytes = wide === 'utf-8' ? utf8(text) : utf16(`\ufeff${text}`, wide === 'utf-16be');
        fc.pre(text.trim() !== '');
        const table = await read(bytes, { delimiter, header: false });
        expect(table.rows).toEqual(rows);
        expect(table.warnings).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('finds delimiter and header of sentences with labels', async () => {
    const word = fc.constantFrom('film', 'plot', 'good,', 'the', 'a', 'dull;', 'was', 'it', 'never', '"fun"');
    const sentence = fc.array(word, { minLength: 4, maxLength: 12 }).map((words) => words.join(' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(sentence, fc.constantFrom('yes', 'no')), { minLength: 10, maxLength: 40 }),
        fc.constantFrom(',', ';', '\t', '|'),
        fc.boolean(),
        async (rows, delimiter, header) => {
          fc.pre(new Set(rows.map((row) => row[1])).size === 2);
          fc.pre(rows.slice(1).some((row) => row[1] === rows[0]![1]));
          const all = header ? [['review', 'sentiment'], ...rows] : rows;
          const text = all
            .map((row) => row.map((c) => `"${c!.replaceAll('"', '""')}"`).join(delimiter))
            .join('\n');
          const table = await read(text);
          expect(table).toMatchObject({ delimiter, header, rows });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('reads back JSON Lines of any strings', async () => {
    const row = fc.record({ text: fc.string({ unit: 'grapheme' }), label: fc.string() });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const table = await read(rows.map((r) => JSON.stringify(r)).join('\n'));
        const plain = (s: string) => s.replace(/\r\n?/g, '\n');
        expect(table.rows).toEqual(rows.map((r) => [plain(r.text), plain(r.label)]));
      }),
    );
  });

  it('never fails but with a reason for a person', async () => {
    const nasty = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .string({
          unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\t', ';', '{', '}', '[', ']', ':', '\u0000', 'é'),
          maxLength: 200,
        })
        .map(utf8),
    );
    await fc.assert(
      fc.asyncProperty(nasty, async (bytes) => {
        try {
          const table = await read(bytes);
          expect(table.rows.length).toBeGreaterThan(0);
          for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
          expect(table.lineOf?.length ?? table.rows.length).toBe(table.rows.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-table' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('large files', () => {
  const row = (i: number) =>
    `"Row ${i}: it was a ""film"", and it was long;\nvery long indeed, in many ways.",${i % 3 ? 'a' : 'b'}\n`;
  const file = utf8(`text,label\n${Array.from({ length: 100_000 }, (_, i) => row(i)).join('')}`);

  it('reads 100,000 rows in a few seconds, letting others run between', async () => {
    let beats = 0;
    let longest = 0;
    let last = process.cpuUsage();
    const timer = setInterval(() => {
      beats++;
      const { user, system } = process.cpuUsage(last);
      longest = Math.max(longest, (user + system) / 1000);
      last = process.cpuUsage();
    }, 1);
    const progress: number[] = [];
    const { value: table, ms } = await computing(() =>
      read(file, { onProgress: (p) => progress.push(p.rows) }),
    );
    clearInterval(timer);
    expect(ms).toBeLessThan(8000);
    expect(table.rows).toHaveLength(100_000);
    expect(table.rows[99_999]![0]).toMatch(/^Row 99999: it was a "film"/);
    expect(table.lineOf![99_999]).toBe(2 + 2 * 99_999);
    expect(table.warnings).toEqual([]);
    expect(beats).toBeGreaterThan(5);
    expect(longest).toBeLessThan(2000);
    expect(progress.length).toBeGreaterThan(5);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('stops when asked', async () => {
    const controller = new AbortController();
    const reading = read(file, {
      signal: controller.signal,
      onProgress: ({ rows }) => {
        if (rows > 0) controller.abort();
      },
    });
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('reads the first 100,000 of more rows and says so', async () => {
    const more = new Uint8Array([...utf8('text,label\n'), ...utf8('a b c,x\n'.repeat(MAX_ROWS + 1))]);
    const table = await read(more);
    expect(table.rows).toHaveLength(MAX_ROWS);
    expect(table.warnings).toMatchObject([{ kind: 'truncated' }]);
    const exact = await read('a b c,x\n'.repeat(MAX_ROWS), { header: false });
    expect(exact.warnings).toEqual([]);
    const lines = await read('{"text":"a","label":"b"}\n'.repeat(MAX_ROWS + 5));
    expect(lines.rows).toHaveLength(MAX_ROWS);
    expect(lines.lineOf).toHaveLength(MAX_ROWS);
    expect(lines.warnings).toMatchObject([{ kind: 'truncated' }]);
  });
});
