/** Vitest's setup for the project `dawn`: WebGPU for Node as a browser would offer it. */
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', {
  value: { ...globalThis.navigator, gpu: create([]) },
  configurable: true,
});
