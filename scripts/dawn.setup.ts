/** Vitest's setup for the project `dawn`: WebGPU for Node, an address, and files under it, as a browser would offer them. */
import 'fake-indexeddb/auto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, globals } from 'webgpu';
import { loadRuntime } from '../src/onnx/index.ts';
import { ROOT } from './processes.ts';

const location = new URL('http://prelude.invalid/');

Object.assign(globalThis, globals);
for (const [name, value] of Object.entries({
  navigator: { ...globalThis.navigator, gpu: create([]) },
  location,
}))
  Object.defineProperty(globalThis, name, { value, configurable: true });

const fetchOverNetwork = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input, location);
  const ofModule = url.protocol === 'file:';
  if (!ofModule && url.origin !== location.origin) return fetchOverNetwork(input, init);
  const path = ofModule ? fileURLToPath(url) : decodeURIComponent(url.pathname);
  const places = ofModule ? [path] : [join(ROOT, path), join(ROOT, 'public', path)];
  const found = places.find((one) => existsSync(one));
  return found ? new Response(await readFile(found)) : new Response(`${path}: not found`, { status: 404 });
};

// The first to load ONNX Runtime decides where its WASM comes from; Node cannot import an address of the page.
const wasm = join(ROOT, 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm');
await loadRuntime({ threads: 1, wasm: await readFile(wasm) });
