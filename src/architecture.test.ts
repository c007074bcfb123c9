/** The house rules that a machine can check: which room may look into which, through which door, and how long a file may be. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'vite';
import { describe, expect, test } from 'vitest';

/** Each may import those after it, and none before it. */
const DIRECTION = ['studio', 'worker', 'tuning', 'models', 'onnx', 'graph', 'kernels', 'gpu'];
/** Know nothing of the GPU's training or of React. */
const LEAVES = ['weights', 'text', 'data', 'prompts'];
const LEAF_USERS: Record<string, string[]> = { worker: LEAVES, tuning: LEAVES, models: ['weights'] };

const MAX_LINES = 450;

/** Imports that a rule below would refuse, each with its reason. */
const ALLOWED: { from: string; to: string; why: string }[] = [
  { from: 'studio', to: 'worker/protocol.ts', why: 'the one contract between page and engine' },
  { from: 'studio', to: 'worker/worker.ts', why: 'by its address only, to start it' },
  { from: 'studio', to: 'tuning/recipe.ts', why: 'plain data: the defaults and limits that the form shows' },
  {
    from: 'worker/protocol.ts',
    to: 'tuning/recipe.ts',
    why: 'the recipe crosses as it is, the engine does not',
  },
  { from: 'studio', to: 'text/index.ts', why: 'a template is checked while it is typed' },
  {
    from: 'studio/stations/results/outcomes.ts',
    to: 'data/index.ts',
    why: 'two lists of answers that are on the page already are compared there: pure statistics',
  },
  {
    from: 'models/gguf.ts',
    to: 'text/index.ts',
    why: 'a GGUF file carries its tokenizer in the metadata that also holds its config',
  },
  {
    from: 'prompts',
    to: 'weights/index.ts',
    why: 'a PEFT adapter is a safetensors file, read by the one reader',
  },
];

interface Import {
  /** Relative to src/. */
  target: string;
  typeOnly: boolean;
}

const isTest = (path: string) => /\.test\.tsx?$|(^|\/)testing/.test(path);
const roomOf = (path: string) => (path.includes('/') ? path.split('/')[0] : '');

function importsOf(path: string, text: string): Import[] {
  const { module } = parseSync(path, text);
  const found: [specifier: string, typeOnly: boolean][] = [];
  for (const one of module.staticImports)
    found.push([one.moduleRequest.value, /^import\s+type\b/.test(text.slice(one.start, one.end))]);
  for (const one of module.staticExports)
    for (const entry of one.entries)
      if (entry.moduleRequest) found.push([entry.moduleRequest.value, entry.isType]);
  for (const { moduleRequest } of module.dynamicImports)
    found.push([text.slice(moduleRequest.start + 1, moduleRequest.end - 1), false]);
  for (const [, specifier] of text.matchAll(/new URL\(\s*['"]([^'"]+)['"],\s*import\.meta\.url/g))
    found.push([specifier, false]);
  return found
    .filter(([specifier]) => specifier.startsWith('.'))
    .map(([specifier, typeOnly]) => ({
      target: posix.join(posix.dirname(path), specifier.replace(/\?.*$/, '')),
      typeOnly,
    }));
}

/** Why a file may not import another, undefined when it may. */
function refusal(path: string, { target, typeOnly }: Import): string | undefined {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (isTest(path)) return undefined;
  if (isTest(target)) return 'test helpers are for tests only';
  if (from === to || target === 'errors.ts') return undefined;
  if (from === '')
    return to === 'studio' && target === 'studio/index.ts' ? undefined : 'the entry only mounts the studio';
  if (ALLOWED.some((one) => (path === one.from || from === one.from) && target === one.to)) return undefined;
  if (!target.endsWith('/index.ts') || target.split('/').length > 2)
    return `${to} is entered past its index.ts`;
  if (from === 'studio' && typeOnly) return undefined;
  if (from === 'studio')
    return 'the studio reaches the engine through the worker; of others it knows types only';
  if (LEAVES.includes(from)) return `${from} is a leaf`;
  if (LEAVES.includes(to))
    return LEAF_USERS[from]?.includes(to) ? undefined : `${from} does not know of ${to}`;
  const [a, b] = [DIRECTION.indexOf(from), DIRECTION.indexOf(to)];
  if (a < 0 || b < 0) return `no rule knows the room ${a < 0 ? from : to}: add it to the architecture test`;
  return a < b ? undefined : `against the direction ${DIRECTION.join(' -> ')}`;
}

const importViolations = (path: string, text: string): string[] =>
  importsOf(path, text).flatMap((one) => {
    const why = refusal(path, one);
    return why ? [`${path} imports ${one.target}: ${why}`] : [];
  });

/** Lines of a file that say `any` as a type. Comments and strings do not count. */
function anyLines(path: string, text: string): number[] {
  const starts: number[] = [];
  const visitors = Object.fromEntries([
    ['TSAnyKeyword', (node: { start: number }) => starts.push(node.start)],
  ]);
  new Visitor(visitors).visit(parseSync(path, text).program);
  return starts.map((start) => text.slice(0, start).split('\n').length);
}

const root = fileURLToPath(new URL('.', import.meta.url));
const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split(sep).join('/'))
  .filter((path) => /\.(tsx?|wgsl)$/.test(path));
const files = paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const scripts = files.filter(({ path }) => !path.endsWith('.wgsl'));

describe('the house', () => {
  test('imports go one way, through the index', () => {
    expect(scripts.flatMap(({ path, text }) => importViolations(path, text))).toEqual([]);
  });

  test(`no file has more than ${MAX_LINES} lines`, () => {
    const long = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
    expect(long.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
  });

  test('no public face says any', () => {
    const found = scripts
      .filter(({ path }) => !isTest(path))
      .flatMap(({ path, text }) => anyLines(path, text).map((line) => `${path}:${line}`));
    expect(found).toEqual([]);
  });

  test('each allowance is still used', () => {
    const used = (from: string, to: string) =>
      scripts.some(
        ({ path, text }) =>
          !isTest(path) &&
          (path === from || roomOf(path) === from) &&
          importsOf(path, text).some(({ target }) => target === to),
      );
    expect(ALLOWED.filter(({ from, to }) => !used(from, to))).toEqual([]);
  });
});

describe('the rules themselves', () => {
  test.each([
    ['gpu/device.ts', "import { rmsNorm } from '../kernels/index.ts';", 'against the direction'],
    ['graph/plan.ts', "import type { Model } from '../models/index.ts';", 'against the direction'],
    ['kernels/add/add.ts', "export { Gpu } from '../../gpu/device.ts';", 'past its index.ts'],
    ['graph/plan.ts', "const late = await import('../gpu/device.ts');", 'past its index.ts'],
    ['studio/mount.tsx', "import { openGpu } from '../gpu/index.ts';", 'through the worker'],
    ['studio/mount.tsx', "new Worker(new URL('../worker/other.ts', import.meta.url));", 'past its index.ts'],
    ['data/table.ts', "import { parseTemplate } from '../text/index.ts';", 'data is a leaf'],
    ['models/t5.ts', "import { loadTokenizer } from '../text/index.ts';", 'does not know of text'],
    ['kernels/weight.ts', "import type { Dtype } from '../weights/index.ts';", 'does not know of weights'],
    ['tuning/trainer.ts', "import { testGpu } from '../kernels/testing.ts';", 'for tests only'],
    ['main.tsx', "import { openGpu } from './gpu/index.ts';", 'only mounts the studio'],
    ['attic/box.ts', "import { openGpu } from '../gpu/index.ts';", 'no rule knows the room attic'],
  ])('%s may not: %s', (path, text, why) => {
    expect(importViolations(path, text)).toEqual([expect.stringContaining(why)]);
  });

  test.each([
    ['worker/engine.ts', "import { createTrainer } from '../tuning/index.ts';"],
    ['tuning/learner.ts', "import { openGpu } from '../gpu/index.ts';"],
    ['models/load.ts', "import { openCheckpoint } from '../weights/index.ts';"],
    ['studio/stores/data.ts', "import type { Table } from '../../data/index.ts';"],
    ['studio/engine.ts', "import { reportError } from '../errors.ts';"],
    ['gpu/device.test.ts', "import { testGpu } from '../kernels/testing.ts';"],
    ['kernels/add/add.ts', "import code from './add.wgsl?raw'; import { useState } from 'react';"],
  ])('%s may: %s', (path, text) => {
    expect(importViolations(path, text)).toEqual([]);
  });

  test('any is found as a type only', () => {
    expect(anyLines('a.ts', "// any\nconst any = 'any';\nexport const f = (x: any) => x;\n")).toEqual([3]);
  });
});
