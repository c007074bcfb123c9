/** Models of a hub: a local one that behaves as the Hugging Face Hub does serves nano-T5 tiny. */
import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from '@playwright/test';
import { type LocalHub, type LocalHubOptions, localHub } from '../src/weights/testing/localHub.ts';
import { alerts, figure, goTo, openStudio, ready, SLOW, setRecipe, train } from './helpers.ts';

const ID = 'prelude/nano-t5-tiny';
const WEIGHTS = 'model.safetensors';

async function serveTiny(more: Partial<LocalHubOptions> = {}): Promise<{ hub: LocalHub; total: number }> {
  const files = Object.fromEntries(
    await Promise.all(
      ['tiny/config.json', `tiny/${WEIGHTS}`, 'tokenizer.json', 'tokenizer_config.json'].map(
        async (path) =>
          [path.split('/').at(-1)!, new Uint8Array(await readFile(`public/models/${path}`))] as const,
      ),
    ),
  );
  const total = Object.values(files).reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { hub: await localHub({ id: ID, files, ...more }), total };
}

const hubPart = (page: Page) => page.getByRole('region', { name: 'From the Hugging Face Hub' });
const keptPart = (page: Page) => page.getByRole('region', { name: 'Kept in this browser' });
const card = (page: Page) => hubPart(page).getByRole('article', { name: ID });

/**
 * The bytes that requests since the first `from` asked for, a piece of a file once, however often a busy browser asks again. Not the
 * bytes sent: a server may go on for a moment with what nobody waits for any more.
 */
function askedBytes(hub: LocalHub, from: number): number {
  const pieces = new Map<string, number>();
  for (const { url, range } of hub.seen.slice(from)) {
    const [start, last] = range?.match(/\d+/g)?.map(Number) ?? [];
    if (start === undefined || last === undefined || !url.startsWith('/bytes/')) continue;
    // A piece that is asked for again, from where it broke, has the same end.
    const piece = `${url} ${last}`;
    pieces.set(piece, Math.max(pieces.get(piece) ?? 0, last + 1 - start));
  }
  return [...pieces.values()].reduce((sum, bytes) => sum + bytes, 0);
}

async function lookUp(page: Page, id: string): Promise<void> {
  await hubPart(page).getByRole('textbox', { name: 'Model id' }).fill(id);
  await hubPart(page).getByRole('button', { name: 'Look up' }).click();
}

test('a model of a hub: looked up, interrupted, gone on with, learned on, and deleted', async ({ page }) => {
  const { hub, total } = await serveTiny();
  try {
    await openStudio(page, `./?model=tiny&hub=${encodeURIComponent(hub.url)}`);
    await goTo(page, 'Model');

    await test.step('a wrong id is said in three parts', async () => {
      await lookUp(page, 'prelude/nano-t5-huge');
      const banner = hubPart(page).getByRole('alert');
      await expect(banner).toContainText(/nano-t5-huge.*\(404\)/);
      await expect(banner).toContainText(/Where: /);
      await expect(banner).toContainText(/Check the spelling/);
    });

    await test.step('what it needs stands there before anything is downloaded', async () => {
      await lookUp(page, ID);
      await expect(hubPart(page).getByRole('alert')).toHaveCount(0);
      await expect(card(page)).toContainText('721,920');
      await expect(card(page)).toContainText(/Download\s*2\.0 MB/);
      const needs = card(page).getByRole('table', { name: 'What it needs on this device' });
      await expect(needs).toContainText('As stored');
      await expect(card(page)).toContainText('It should have room');
      expect(hub.sent()).toBeLessThan(50_000);
    });

    const kept = keptPart(page).getByRole('listitem', { name: ID });
    const arrived = async () => {
      const [, amount, unit] = /([\d.]+) (MB|kB) of/.exec((await kept.textContent())!)!;
      return Number(amount) * (unit === 'MB' ? 1e6 : 1e3);
    };
    const slow = () => hub.faults.push({ kind: 'slow', milliseconds: 150, times: 20, path: WEIGHTS });

    await test.step('stopped with the button: what has arrived stays', async () => {
      slow();
      await card(page).getByRole('button', { name: 'Download and load' }).click();
      const progress = card(page).getByRole('progressbar');
      await expect(progress).toHaveAttribute('aria-valuetext', /of 2\.0 MB, .*\/s/);
      await expect.poll(() => hub.sent(), { timeout: SLOW }).toBeGreaterThan(850_000);
      await card(page).getByRole('button', { name: 'Stop' }).click();
      await expect(card(page)).toContainText(/of 2\.0 MB are here already/);
      expect(await arrived()).toBeGreaterThan(500_000);
    });

    await test.step('the page is closed in the middle; what had arrived is not fetched again', async () => {
      hub.faults.length = 0;
      slow();
      const before = hub.sent();
      await card(page).getByRole('button', { name: 'Go on and load' }).click();
      await expect.poll(() => hub.sent() - before, { timeout: SLOW }).toBeGreaterThan(280_000);
      await page.reload();
      hub.faults.length = 0;
      await ready(page);
      await goTo(page, 'Model');
      await expect(kept).toContainText('the download was stopped');
      const there = await arrived();
      const requests = hub.seen.length;
      await kept.getByRole('button', { name: `Go on with ${ID}` }).click();
      await expect(kept).toContainText('Loaded', { timeout: SLOW });
      // What the words say is rounded to 0.1 MB.
      expect(askedBytes(hub, requests)).toBeLessThan(total - there + 60_000);
      await expect(page.locator('.page-head')).toContainText(`${ID} is loaded and frozen`);
    });

    await test.step('it learns', async () => {
      await setRecipe(page, { Steps: 3, Batch: 4 });
      await train(page);
      await expect(figure(page, 'step')).toContainText('3');
    });

    await test.step('it opens again without the hub', async () => {
      const before = hub.seen.length;
      await page.reload();
      await ready(page);
      await goTo(page, 'Model');
      await keptPart(page)
        .getByRole('button', { name: `Load ${ID}` })
        .click();
      await expect(page.locator('.page-head')).toContainText(`${ID} is loaded and frozen`, { timeout: SLOW });
      expect(hub.seen.length).toBe(before);
    });

    await test.step('it is deleted once another is loaded, and the undo brings it back', async () => {
      const part = keptPart(page);
      await expect(part.getByRole('button', { name: `Delete ${ID}` })).toBeDisabled();
      await page.getByRole('button', { name: 'Load nano-T5 small' }).click();
      await part.getByRole('button', { name: `Delete ${ID}` }).click({ timeout: SLOW });
      await expect(part.getByRole('listitem')).toHaveCount(0);
      await page.getByRole('region', { name: 'Messages' }).getByRole('button', { name: 'Undo' }).click();
      await expect(part.getByRole('listitem')).toContainText(ID);
      await part.getByRole('button', { name: `Delete ${ID}` }).click();
      await expect(part).toContainText('will stand here');
      await page.getByRole('region', { name: 'Messages' }).getByRole('button', { name: 'Dismiss' }).click();
      await page.reload();
      await ready(page);
      await goTo(page, 'Model');
      await expect(keptPart(page)).toContainText('will stand here');
    });
    await expect(alerts(page)).toHaveCount(0);
  } finally {
    await hub.close();
  }
});

test('a private model wants its token, a gated one its licence; a cut connection is taken up by itself', async ({
  page,
}) => {
  const { hub } = await serveTiny({ token: 'hf_secret' });
  const gated = await serveTiny({ token: 'hf_secret', gated: true });
  try {
    await openStudio(page, './?model=tiny');
    await goTo(page, 'Model');
    const part = hubPart(page);
    await part.getByText('Revision, token, mirror').click();
    await part.getByRole('textbox', { name: 'Mirror' }).fill(hub.url);
    await lookUp(page, ID);
    await expect(part.getByRole('alert')).toContainText(/\(401\)/);
    await expect(part.getByRole('alert')).toContainText(/token/);
    await part.getByLabel('Access token').fill('hf_wrong');
    await part.getByRole('button', { name: 'Look up' }).click();
    await expect(part.getByRole('alert')).toContainText(/\(401\)/);
    await part.getByLabel('Access token').fill('hf_secret');

    await test.step('gated: the files are refused, and where to accept is said before the download', async () => {
      await part.getByRole('textbox', { name: 'Mirror' }).fill(gated.hub.url);
      await part.getByRole('button', { name: 'Look up' }).click();
      await expect(card(page).getByRole('alert')).toContainText(/\(403\)/);
      await expect(card(page).getByRole('alert')).toContainText(/licence|accept/i);
    });

    await part.getByRole('textbox', { name: 'Mirror' }).fill(hub.url);
    await part.getByRole('button', { name: 'Look up' }).click();
    await expect(card(page)).toContainText('721,920');
    hub.faults.push({ kind: 'cut', after: 100_000, path: WEIGHTS });
    await card(page).getByRole('button', { name: 'Download and load' }).click();
    await expect(card(page)).toContainText('Loaded', { timeout: SLOW });
    await expect(alerts(page)).toHaveCount(0);
    // The mirror is kept in this browser, the token is not.
    await page.reload();
    await goTo(page, 'Model');
    await expect(part.getByRole('textbox', { name: 'Mirror' })).toHaveValue(hub.url);
    await expect(part.getByLabel('Access token')).toHaveValue('');
  } finally {
    await hub.close();
    await gated.hub.close();
  }
});
