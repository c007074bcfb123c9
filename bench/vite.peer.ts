import { defineConfig } from 'vite';

/** Bundles the peers into modules: another harness's bundler knows nothing of `?raw`. It brings ONNX Runtime itself. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist-bench',
    target: 'es2023',
    lib: {
      entry: {
        prelude: 'bench/peer.ts',
        'prelude-forward': 'bench/peerForward.ts',
        'prelude-onnx': 'bench/peerOnnx.ts',
      },
      formats: ['es'],
    },
    rollupOptions: { external: [/^onnxruntime-web/] },
  },
});
