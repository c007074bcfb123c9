/** The script that ships, on the ONNX file that ships, beside the studio's own reader: on every family of the reference. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeModel } from '../../models/index.ts';
import type { OnnxRuntime } from '../../onnx/index.ts';
import { noise, testRuntime } from '../../onnx/testing.ts';
import type { SoftPrompt } from '../../prompts/index.ts';
import { createOnnxScorer, exportOnnx, planAnswers } from '../../tuning/index.ts';
import { bytesSource, openSafetensors } from '../../weights/index.ts';
import type { OpenedModel } from '../models.ts';
import { deployedFiles } from './files.ts';
import { createPredictor } from './predict.js';
import { zipBlob } from './zip.ts';

const MODELS = fileURLToPath(new URL('../../../bench/reference/testdata/models/', import.meta.url));
const LENGTH = 4;

let ort: OnnxRuntime;
beforeAll(async () => {
  ort = await testRuntime();
});

/** One token a character; `e` stands at the end, as T5's tokenizer has it. */
const END = 1;
const idsOf = (text: string) => [...text].map((char) => 10 + (char.charCodeAt(0) % 40));
class LetterTokenizer {
  encode(text: string) {
    return { ids: [...idsOf(text), END] };
  }
}

async function openModel(name: string) {
  const bytes = new Uint8Array(readFileSync(`${MODELS}${name}/model.safetensors`));
  const weights = await openSafetensors(bytesSource(bytes, name));
  const config = JSON.parse(readFileSync(`${MODELS}${name}/config.json`, 'utf8'));
  return { model: makeModel(config, weights), weights };
}

async function ship(name: string, weightsBeside: boolean) {
  const { model, weights } = await openModel(name);
  const { width, vocabSize } = model.info;
  const prompt: SoftPrompt = {
    name: 'Letters',
    length: LENGTH,
    width,
    values: noise(LENGTH * width, 7),
    model: { name, fingerprint: 'f'.repeat(64), family: name, width, vocabSize, numLayers: 2, numHeads: 2 },
    createdAt: new Date(0).toISOString(),
    step: 3,
    task: { template: 'x', labels: [], appendEos: false },
    metrics: { testAccuracy: 0.75 },
  };
  const opened = {
    tokenizer: { encode: idsOf, eosId: END },
    tokenizerFiles: { json: { model: {} }, config: undefined },
  } as unknown as OpenedModel;
  const labels = [
    { label: 'yes', text: 'ab' },
    { label: 'no', text: 'c' },
    { label: 'maybe', text: 'abd' },
  ].map((label) => ({ ...label, ids: [...idsOf(label.text), END] }));
  const task = { template: 'q: {text} {{{text2}}}', labels, maxTokens: 12 };
  const files = deployedFiles(prompt, task, model, opened, { weightsBeside, withModel: true });
  const made = await exportOnnx(model, weights, { weightsBeside });
  return { model, weights, prompt, files, made, labels };
}

describe.each(readdirSync(MODELS))('%s', (name) => {
  test('the shipped script scores the labels as the studio does', async () => {
    const { model, weights, prompt, files, made, labels } = await ship(name, name.startsWith('q'));
    const [graph, ...beside] = made;
    const session = await ort.InferenceSession.create(graph!.parts[0]!, {
      logSeverityLevel: 3,
      externalData: beside.map((file) => ({
        path: file.name,
        data: new Uint8Array(Buffer.concat(file.parts)),
      })),
    });
    const predict = await createPredictor({
      ort,
      Tokenizer: LetterTokenizer as never,
      session,
      read: async (file) => files.find((one) => one.name === file)!.bytes,
    });
    const scorer = await createOnnxScorer(ort, model, weights);
    for (const [text, text2] of [
      ['to be', 'or'],
      ['a much longer text than fits', 'not to be'],
    ] as const) {
      const whole = [...idsOf(`q: ${text} {${text2}}`), END];
      const ids = whole.length > 12 ? [...whole.slice(0, 11), END] : whole;
      const [wanted] = await scorer.score([
        {
          ids,
          prompt: { kind: 'values', length: LENGTH, values: prompt.values as Float32Array<ArrayBuffer> },
          answers: planAnswers(labels.map(({ ids: answer }) => answer)),
        },
      ]);
      const { label, scores } = await predict(text, text2);
      scores.forEach(({ logLikelihood }, i) => {
        expect(logLikelihood / wanted![i]!).toBeCloseTo(1, 4);
      });
      expect(label).toBe(labels[wanted!.indexOf(Math.max(...wanted!))]!.label);
    }
    scorer.destroy();
    await session.release();
  });
});

test('the zip holds every file whole, the same bytes each day; the README says where a model that is left out comes from', async () => {
  const { files, made } = await ship('t5-v1.1', true);
  const pack = () =>
    zipBlob([
      ...files.map(({ name, bytes }) => ({ name, parts: [bytes], compress: true })),
      ...made.map((file) => ({ ...file, compress: false })),
    ]);
  const zip = new Uint8Array(await (await pack()).arrayBuffer());
  expect(Buffer.compare(new Uint8Array(await (await pack()).arrayBuffer()), zip)).toBe(0);
  const entries = unzipSync(zip);
  expect(Object.keys(entries)).toEqual([
    ...['README.md', 'index.html', 'predict.js', 'predict.mjs', 'predict.py', 'package.json', 'prompt.npy'],
    ...['task.json', 'tokenizer.json', 'tokenizer_config.json', 'model.onnx', 'model.onnx.data'],
  ]);
  expect(Buffer.compare(entries['model.onnx.data']!, Buffer.concat(made[1]!.parts))).toBe(0);
  const readme = new TextDecoder().decode(entries['README.md']);
  expect(readme).toContain('Right on 75.0 % of the test rows');
  expect(readme).toContain('`model.onnx` and `model.onnx.data`: the frozen model.');
  expect(JSON.parse(new TextDecoder().decode(entries['task.json'])).template).toEqual([
    'q: ',
    { field: 'text' },
    ' {',
    { field: 'text2' },
    '}',
  ]);
});
