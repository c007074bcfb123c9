import { describe, expect, it } from 'vitest';
import { WINDOWS_1252 } from './encoding.ts';
import { MAX_ROWS, readTable, type TableOptions } from './index.ts';
import { utf8, utf16 } from './testdata/bytes.ts';

function windows1252(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => {
    const inPage = letter === ' ' ? -1 : WINDOWS_1252.indexOf(letter);
    return inPage === -1 ? letter.charCodeAt(0) : 0x80 + inPage;
  });
}

const read = (data: Uint8Array | string, options?: TableOptions, name = 'data.csv') =>
  readTable({ name, data: typeof data === 'string' ? utf8(data) : data }, options);

const REVIEWS =
  'text,label\n"Good, really good.",positive\nToo long by half.,negative\nWell acted.,positive\n';

describe('formats', () => {
  it('reads CSV with a header and counts lines', async () => {
    const table = await read('text,label\n"two\nlines",a\n\nx y z,b\n');
    expect(table).toMatchObject({
      format: 'csv',
      delimiter: ',',
      encoding: 'utf-8',
      header: true,
      warnings: [],
    });
    expect(table.columns).toEqual(['text', 'label']);
    expect(table.rows).toEqual([
      ['two\nlines', 'a'],
      ['x y z', 'b'],
    ]);
    expect([...table.lineOf!]).toEqual([2, 5]);
  });

  it.each([
    ['\t', 'tsv'],
    [';', 'csv'],
    ['|', 'csv'],
  ])('finds the delimiter %j by content', async (delimiter, format) => {
    const rows =
      ['text', 'label'].join(delimiter) +
      '\n' +
      ['I came, I saw, I left.', 'b'].join(delimiter) +
      '\n' +
      ['Fine, then.', 'a'].join(delimiter) +
      '\n';
    const table = await read(rows);
    expect(table).toMatchObject({ format, delimiter, columns: ['text', 'label'] });
    expect(table.rows[0]).toEqual(['I came, I saw, I left.', 'b']);
  });

  it('takes the delimiter that Excel names in the first line', async () => {
    const table = await read('sep=;\ntext;label\na,b;x\nc,d;y\n');
    expect(table.delimiter).toBe(';');
    expect(table.rows).toEqual([
      ['a,b', 'x'],
      ['c,d', 'y'],
    ]);
  });

  it('reads every kind of line end, mixed as well, as "\\n"', async () => {
    const table = await read('text,label\r\n"a\r\nb",x\rc,y\nd,x\r\n');
    expect(table.rows).toEqual([
      ['a\nb', 'x'],
      ['c', 'y'],
      ['d', 'x'],
    ]);
    expect([...table.lineOf!]).toEqual([2, 4, 5]);
  });

  it('reads a Blob', async () => {
    const table = await readTable({ name: 'a.csv', data: new Blob([REVIEWS]) });
    expect(table.rows).toHaveLength(3);
  });

  it('reads JSON Lines: union of keys, missing ones empty, nested values as JSON', async () => {
    const table = await read('{"text":"a","label":1}\n\n{"text":"b","label":null,"meta":{"k":[1,true]}}\n');
    expect(table).toMatchObject({ format: 'jsonl', columns: ['text', 'label', 'meta'] });
    expect(table.rows).toEqual([
      ['a', '1', ''],
      ['b', '', '{"k":[1,true]}'],
    ]);
    expect([...table.lineOf!]).toEqual([1, 3]);
  });

  it('names a bad line of JSON Lines by its number', async () => {
    const table = await read(
      '{"text":"a","label":"x"}\n{"text":"b","label":"y"\n{"text":"c","label":"x"}\n[1]\n{"text":"d","label":"y"}',
    );
    expect(table.rows.map((row) => row[0])).toEqual(['a', 'c', 'd']);
    expect(table.warnings).toHaveLength(1);
    expect(table.warnings[0]).toMatchObject({ kind: 'bad-line', count: 2 });
    expect(table.warnings[0]!.message).toContain('2 lines (2, 4)');
  });

  it.each([
    '[{"text":"a","label":"x"},{"text":"b","label":"y"}]',
    '[\n  {"text": "a", "label": "x"},\n  {"text": "b", "label": "y"}\n]',
    '{"version": 1, "data": [{"text":"a","label":"x"},{"text":"b","label":"y"}]}',
    '{\n "data": [{"text":"a","label":"x"},\n {"text":"b","label":"y"}]}',
  ])('reads a JSON array of objects: %s', async (json) => {
    const table = await read(json);
    expect(table).toMatchObject({
      format: 'json',
      columns: ['text', 'label'],
      rows: [
        ['a', 'x'],
        ['b', 'y'],
      ],
    });
  });
});

describe('encodings', () => {
  const text = 'text,label\nVoilà un café très cher,négatif\nŒuvre “géniale” à 5 €,positif\n';
  it.each([
    ['utf-8', utf8(text)],
    ['utf-8', utf8(`\ufeff${text}`)],
    ['utf-16le', utf16(`\ufeff${text}`, false)],
    ['utf-16be', utf16(`\ufeff${text}`, true)],
    ['utf-16le', utf16(text, false)],
    ['utf-16be', utf16(text, true)],
    ['windows-1252', windows1252(text)],
  ])('finds %s (%#)', async (encoding, bytes) => {
    const table = await read(bytes);
    expect(table.encoding).toBe(encoding);
    expect(table.columns).toEqual(['text', 'label']);
    expect(table.rows).toEqual([
      ['Voilà un café très cher', 'négatif'],
      ['Œuvre “géniale” à 5 €', 'positif'],
    ]);
    expect(table.warnings.map((w) => w.kind)).toEqual(encoding === 'windows-1252' ? ['encoding'] : []);
  });

  it('finds UTF-16 of a script without zero bytes of its own', async () => {
    const table = await read(utf16('text,label\n这部电影很好看,好\n太无聊了,坏\n', false));
    expect(table).toMatchObject({
      encoding: 'utf-16le',
      rows: [
        ['这部电影很好看', '好'],
        ['太无聊了', '坏'],
      ],
    });
  });

  it('keeps UTF-8 with a little damage as UTF-8, with a warning', async () => {
    const bytes = [...utf8(`text,label\n"${'é'.repeat(50)}",a\nx,b\n`)];
    bytes.splice(20, 1);
    const table = await read(Uint8Array.from(bytes));
    expect(table.encoding).toBe('utf-8');
    expect(table.warnings[0]).toMatchObject({ kind: 'encoding' });
  });

  it('recognises Cyrillic in its code page', async () => {
    const line = 'Этот фильм мне очень понравился, и я посмотрю его ещё раз вместе с друзьями';
    const cp1251 = (s: string) =>
      Uint8Array.from(s, (c) => {
        const code = c.charCodeAt(0);
        return code === 0x451 ? 0xb8 : code >= 0x410 && code <= 0x44f ? code - 0x410 + 0xc0 : code;
      });
    const table = await read(cp1251(`text;label\n${`${line};да\n`.repeat(5)}Нет;нет\n`));
    expect(table.encoding).toBe('windows-1251');
    expect(table.rows[0]).toEqual([line, 'да']);
  });

  it('obeys a chosen encoding and refuses one it does not know', async () => {
    expect((await read(windows1252(text), { encoding: 'latin1' })).rows[0]![1]).toBe('négatif');
    await expect(read(text, { encoding: 'klingon' })).rejects.toMatchObject({ code: 'bad-table' });
  });
});

describe('headers', () => {
  it.each([
    ['text,label\nIt was good.,1\nIt was bad.,0\n', true],
    ['It was good.,1\nIt was bad.,0\nIt was fine.,1\n', false],
    [
      'Good film with a plot.,positive\nBad film without one.,negative\nA long film with songs.,positive\nNo.,negative\n',
      false,
    ],
    [
      'foo,bar\nGood film with a nice plot.,positive\nBad film without any plot.,negative\nA long film with songs.,positive\n',
      true,
    ],
    ['positive\tA charming film.\nnegative\tA dull film.\npositive\tFun from start to end.\n', false],
    ['1,5\n2,6\n3,5\n', false],
    [',sentence,class\n0,One two three.,a\n1,Four five six.,b\n', true],
  ])('%j: header %s', async (text, header) => {
    const table = await read(text);
    expect(table.header).toBe(header);
    if (!header) expect(table.columns).toEqual(['column 1', 'column 2']);
  });

  it('can be told', async () => {
    expect((await read(REVIEWS, { header: false })).rows).toHaveLength(4);
    expect((await read('a b,x\nc d,y\n', { header: true })).columns).toEqual(['a b', 'x']);
  });

  it('numbers empty names and those used twice', async () => {
    expect((await read('text,,label,text\n1 a,2,x,3\n4 b,5,y,6\n')).columns).toEqual([
      'text',
      'column 2',
      'label',
      'text (2)',
    ]);
  });
});

describe('untidy tables', () => {
  it('keeps ragged rows and counts them', async () => {
    const table = await read('text,label\na a,x\nb b\nc c,x,y\nd d,z\ne,f\n');
    expect(table.rows).toEqual([
      ['a a', 'x'],
      ['b b', ''],
      ['c c', 'x,y'],
      ['d d', 'z'],
      ['e', 'f'],
    ]);
    expect(table.warnings).toEqual([
      expect.objectContaining({
        kind: 'ragged',
        count: 2,
        rows: [1, 2],
        message: expect.stringContaining('3, 4'),
      }),
    ]);
  });

  it('reads quotes as letters where they do not quote', async () => {
    const table = await read('text\tlabel\n"Great" film\tpos\n"Bad" film\tneg\nNo "quotes" here\tneg\n');
    expect(table.rows).toEqual([
      ['"Great" film', 'pos'],
      ['"Bad" film', 'neg'],
      ['No "quotes" here', 'neg'],
    ]);
    expect(table.warnings.map((w) => w.kind)).toEqual(['quotes']);
  });

  it('does not lose the rest of the file to an unclosed quote', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => `text number ${i},${i % 2 ? 'a' : 'b'}`);
    rows[10] = '"never closed,a';
    const table = await read(`text,label\n${rows.join('\n')}\n`);
    expect(table.rows).toHaveLength(500);
    expect(table.warnings.map((w) => w.kind)).toContain('quotes');
  });

  it('survives an unclosed quote before 12 MB of text', async () => {
    const table = await read(
      `text,label\n"never closed,a\n${'some text of a row that goes on and on,b\n'.repeat(300_000)}`,
    );
    expect(table.rows).toHaveLength(MAX_ROWS);
    expect(table.warnings.map((w) => w.kind)).toEqual(['truncated', 'quotes']);
  });
});

describe('files that are no table', () => {
  const zip = (inside: string) => utf8(`PK\u0003\u0004 ${inside}`);
  it.each<[string, Uint8Array | string, RegExp]>([
    ['empty', '', /is empty/],
    ['blank', ' \n\n\t\n', /blank/],
    ['pdf', '%PDF-1.7\n%âãÏÓ', /PDF/],
    ['xlsx', zip('[Content_Types].xml xl/workbook.xml'), /an Excel workbook/],
    ['docx', zip('word/document.xml'), /text document/],
    ['zip', zip('a.csv'), /zip archive/],
    ['png', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), /picture/],
    ['jpeg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), /picture/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /compressed/],
    ['xls', Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1), /old Excel/],
    ['parquet', 'PAR1 xx', /Parquet/],
    ['html', '\ufeff<!DOCTYPE html>\n<html><body>a,b</body></html>', /HTML/],
    ['xml', '<?xml version="1.0"?><rows/>', /XML/],
    ['binary', Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256), /binary/],
    ['one column', 'alpha\nbeta\ngamma\n', /one column/],
    [
      'prose',
      'Once upon a time, there was a king.\nHe had no sons.\nOne day, late, in May, he left.\nThe end.\nNobody knew, or so they said, why.\n',
      /running text|one column/,
    ],
    ['header only', 'text,label\n', /no rows|only one/],
    ['broken array', '[{"text": "a", "label"', /JSON array/],
    ['JSON without rows', '{"text":["a","b"],\n"label":["x","y"]}', /no list of rows/],
    ['bad JSON Lines', '{"a": 1,}\n{"b"}\n', /line 1/],
    ['array of numbers', '[[1,2],[3,4]]', /item 1/],
    ['one key', '{"text":"a"}\n{"text":"b"}\n', /fewer than two/],
  ])('%s', async (_, data, message) => {
    const error = await read(data).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      code: 'bad-table',
      where: 'data.csv',
      message: expect.stringMatching(message),
    });
    expect((error as { remedy: string }).remedy).toMatch(/\.$/);
  });

  it('refuses a chosen delimiter that parts nothing', async () => {
    await expect(read(REVIEWS, { delimiter: ';' })).rejects.toMatchObject({ code: 'bad-table' });
  });

  it('refuses more than 200 MB before reading', async () => {
    const data = new Uint8Array(200_000_001);
    await expect(read(data)).rejects.toMatchObject({
      code: 'bad-table',
      message: expect.stringContaining('200 MB'),
    });
  });
});
