import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumArgs, findChromium } from './scripts/chromium.ts';

/**
 * Tests are sorted by what they need: `*.test.ts` nothing but Node, `*.gpu.test.ts` a WebGPU device in a browser.
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
        optimizeDeps: { include: ['@huggingface/tokenizers', 'valibot', 'fflate'] },
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
    ],
  },
});
