import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUNTIMES, runOnGpu } from '../bench/harness/index.ts';

const x = [3, -4, 12, 0.5];
const scale = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prelude-harness-'));
  mkdirSync(join(folder, 'deep er'));
  writeFileSync(join(folder, 'deep er', 'ä #1.txt'), 'served');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(RUNTIMES)('an entry module in %s', { timeout: 90_000 }, (runtime) => {
  const options = { entry: 'bench/harness/smoke.ts', runtime, timeoutSeconds: 60 };

  test.concurrent('runs a kernel, reads a folder, sends messages, returns a value', async () => {
    const messages: unknown[] = [];
    const result = (await runOnGpu({
      ...options,
      folders: { '/folder': folder },
      args: { x },
      onMessage: (message) => messages.push(message),
    })) as { y: number[]; files: string[]; text: string };
    expect(messages).toEqual([{ line: `running in ${runtime}` }]);
    expect(result.files).toEqual(['deep er/ä #1.txt']);
    expect(result.text).toBe('served');
    result.y.forEach((value, i) => {
      expect(value).toBeCloseTo(x[i] / scale, 5);
    });
  });

  test.concurrent('an error in the module rejects with its message', async () => {
    await expect(runOnGpu({ ...options, args: { x, fail: true } })).rejects.toThrow('asked to fail');
  });

  test.concurrent('a module that never ends is stopped at the limit', async () => {
    // That it ends at all is what the time limit of the test checks.
    await expect(runOnGpu({ ...options, timeoutSeconds: 4, args: { x, hang: true } })).rejects.toThrow(
      'did not end within 4 s',
    );
  });
});
