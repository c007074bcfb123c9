import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { adapterFromEnvironment, chromiumArgs, findChromium } from './scripts/chromium.ts';
import { dawnEnvironment } from './scripts/dawn.ts';

/**
 * Tests are sorted by what they need: `*.test.ts` nothing but Node, `*.gpu.test.ts` a WebGPU device in a browser.
 * The project `dawn` runs the latter in Node through Dawn: another shader compiler's word, and no browser to start.
 * Journeys of a person through the built page are Playwright's (`e2e/`).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['src/**/*.gpu.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        optimizeDeps: {
          include: [
            '@bufbuild/protobuf/wire',
            '@huggingface/tokenizers',
            '@noble/hashes/legacy.js',
            '@noble/hashes/sha2.js',
            '@noble/hashes/utils.js',
            'chardet',
            'comlink',
            'fflate',
            'idb',
            'papaparse',
            'valibot',
          ],
        },
        test: {
          name: 'gpu',
          include: ['src/**/*.gpu.test.ts'],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: findChromium(), args: chromiumArgs },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'dawn',
          include: ['src/**/*.gpu.test.ts'],
          testTimeout: 60_000,
          // The Vulkan loader reads its variables when a process starts: threads would come too late.
          pool: 'forks',
          env: dawnEnvironment(adapterFromEnvironment()),
          setupFiles: ['scripts/dawn.setup.ts'],
        },
      },
    ],
  },
});
