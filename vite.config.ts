import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { budget } from './scripts/budget.ts';

/** Cross-origin isolation lets the engine's clock tick in microseconds and WASM use threads. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  plugins: [react(), budget()],
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: { target: 'es2023' },
});
