import { defineConfig } from 'vite';

/** Bundles the peer into one module: another harness's bundler knows nothing of `?raw`. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist-bench',
    target: 'es2023',
    lib: { entry: 'bench/peer.ts', formats: ['es'], fileName: 'prelude' },
  },
});
