import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Rolldown } from 'vite';
import { expect, test } from 'vitest';
import { firstLoad, judge } from './budget.ts';

const chunk = (fileName: string, bytes: number, options: { isEntry?: boolean; imports?: string[] } = {}) =>
  [
    fileName,
    {
      type: 'chunk',
      fileName,
      name: /([^/]+)-\w+\.js$/.exec(fileName)![1],
      code: randomBytes(bytes).toString('latin1'),
      isEntry: false,
      imports: [],
      ...options,
    },
  ] as const;
const asset = (fileName: string, bytes: number) =>
  [fileName, { type: 'asset', fileName, source: randomBytes(bytes) }] as const;

const bundle = Object.fromEntries([
  chunk('assets/index-a1.js', 1000, { isEntry: true, imports: ['assets/components-b2.js'] }),
  // Two that import each other must not be counted for ever.
  chunk('assets/components-b2.js', 2000, { imports: ['assets/index-a1.js'] }),
  chunk('assets/Charts-c3.js', 50_000),
  asset('assets/index-d4.css', 300),
  asset('assets/Charts-e5.css', 4000),
  asset('assets/worker-f6.js', 5000),
  asset('assets/inter-latin-wght-normal-g7.woff2', 700),
  asset('assets/inter-greek-wght-normal-h8.woff2', 9000),
]) as unknown as Rolldown.OutputBundle;

test('the first script is the entry with all that it imports at once, and nothing lazy', () => {
  const load = firstLoad(bundle);
  const zipped = (name: string) => gzipSync((bundle[name] as Rolldown.OutputChunk).code).length;
  expect(load.script).toBe(zipped('assets/index-a1.js') + zipped('assets/components-b2.js'));
  expect(load.styles).toBeLessThan(500);
  expect(load.worker).toBeGreaterThan(4900);
  expect(load.fonts).toBe(700);
});

test('over the budget is a failure that says what to do', () => {
  const load = firstLoad(bundle);
  expect(judge(load)).toMatchObject({ ok: true, words: expect.stringContaining('of 300 kB gzipped') });
  expect(judge(load, load.script - 1)).toMatchObject({
    ok: false,
    words: expect.stringContaining('import()'),
  });
});
