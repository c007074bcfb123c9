// npm install, then: node predict.mjs "your text" ["your second text"]
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { createPredictor } from './predict.js';

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const read = (name) => readFile(pathOf(name));

const [text, text2] = process.argv.slice(2);
if (text === undefined) {
  console.error('Usage: node predict.mjs "your text" ["your second text"]');
  process.exit(2);
}
if (!existsSync(pathOf('model.onnx'))) {
  console.error('model.onnx is not here: README.md says where it comes from.');
  process.exit(1);
}

// The native runtime where it was installed, else the same in WebAssembly.
const native = await import('onnxruntime-node').catch(() => undefined);
const ort = native ?? (await import('onnxruntime-web'));
const beside = existsSync(pathOf('model.onnx.data'))
  ? { externalData: [{ path: 'model.onnx.data', data: await read('model.onnx.data') }] }
  : {};
const session = await ort.InferenceSession.create(
  native ? pathOf('model.onnx') : await read('model.onnx'),
  native ? {} : beside,
);
const predict = await createPredictor({ ort, Tokenizer, read, session });
const began = performance.now();
const prediction = await predict(text, text2);
console.log(JSON.stringify({ ...prediction, milliseconds: Math.round(performance.now() - began) }, null, 2));
