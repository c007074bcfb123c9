/** Taking a prompt out of the studio, as a whole: the engine on the processor, a kept prompt, what would ship, the zip. */
import 'fake-indexeddb/auto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noise, testRuntime } from '../onnx/testing.ts';
import { exportNpy } from '../prompts/index.ts';
import { createEngine } from './engine.ts';
import type { Engine, ModelSource } from './protocol.ts';
import { csv, rowsOf, servePublic } from './testing.ts';

const SMOLLM2 = fileURLToPath(
  new URL('../../../shared/models/smollm2-135m-instruct-q4_1.gguf', import.meta.url),
);
const ignore = () => {};

let files: Awaited<ReturnType<typeof servePublic>>;
beforeAll(async () => {
  await testRuntime();
  files = await servePublic();
});
afterAll(() => files.close());

/** A model with a small table of its own and a prompt of noise. */
async function open(source: ModelSource): Promise<{ engine: Engine; id: string }> {
  const engine = createEngine(files.url);
  await engine.openDevice('onnx');
  const { width } = await engine.loadModel(source, ignore);
  await engine.openData({ kind: 'file', file: csv(rowsOf(['food', 'sport', 'opinion'], 14)) }, {}, ignore);
  await engine.setTask(await engine.suggestTask(), ignore);
  const values = noise(4 * width, 3, 0.1);
  const bytes = exportNpy({ name: 'noise', length: 4, width, values });
  const { id } = await engine.importPrompt([new File([bytes], 'noise.npy')]);
  return { engine, id };
}

async function expectToShip(source: ModelSource): Promise<Record<string, Uint8Array>> {
  const { engine, id } = await open(source);
  const ref = { kind: 'saved', id } as const;
  const report = await engine.checkDeployment(ref, ignore);
  expect(report.agree).toBe(report.rows);
  expect(report.rows).toBe(12);
  expect(report.largest).toBeLessThan(1e-3);
  expect(report.milliseconds).toBeGreaterThan(0);
  const file = await engine.exportDeployment(ref, false);
  expect(file.name).toMatch(/^noise(-2)?-p4-onnx-without-model\.zip$/);
  const entries = unzipSync(new Uint8Array(await file.bytes.arrayBuffer()));
  const sum = Object.values(entries).reduce((n, { length }) => n + length, 0);
  // The README says another sentence where the model is left out.
  expect(Math.abs(sum - report.bytes.withoutModel)).toBeLessThan(1000);
  return entries;
}

describe('what ships says what the studio says', () => {
  test('an encoder-decoder of our own', { timeout: 60_000 }, async () => {
    const entries = await expectToShip({ kind: 'builtin', id: 'tiny' });
    expect(JSON.parse(new TextDecoder().decode(entries['task.json'])).decoder).toEqual({ start: 0 });
    expect(entries['model.onnx']).toBeUndefined();
  });

  test.skipIf(!existsSync(SMOLLM2))(
    'SmolLM2, a decoder in GGUF (skipped where ../shared/models has no such file)',
    { timeout: 300_000 },
    async () => {
      const file = new File([readFileSync(SMOLLM2)], 'smollm2-135m-instruct-q4_1.gguf');
      const entries = await expectToShip({ kind: 'files', files: [file] });
      const task = JSON.parse(new TextDecoder().decode(entries['task.json']));
      expect(task).toMatchObject({ decoder: null, weightsBeside: true });
    },
  );
});
