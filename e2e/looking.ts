/** Pictures of what stands there, for people to look at, and what a machine can say about them. */
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';

const SCREENS = 'test-results/screens';

export type Theme = 'light' | 'dark';
/** A phone, a projector, a laptop; what is drawn at the last one is what axe looks at. */
const SIZES = [
  [390, 844],
  [1920, 1080],
  [1280, 800],
] as const;

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/**
 * Takes the pictures; axe finds nothing serious and nothing is wider than its screen.
 * @param whole the whole height of the page also on wide screens
 */
export async function look(page: Page, theme: Theme, name: string, whole = false): Promise<void> {
  await test.step(`${name}, ${theme}`, async () => {
    // Charts and lazily loaded panels draw a moment later.
    await page.waitForTimeout(300);
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await page.screenshot({
        path: join(SCREENS, `${name}-${theme}-${width}.png`),
        animations: 'disabled',
        fullPage: whole || width === 390,
      });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect.soft(wide, `${name}, ${theme}`).toBeLessThanOrEqual(width);
    }
    expect.soft(await violations(page), `${name}, ${theme}`).toEqual([]);
  });
}
