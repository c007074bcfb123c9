import { expect, type Page, test } from '@playwright/test';
import { goTo, measure, openStudio, SHADERS, SLOW, type Station, setRecipe, train } from './helpers.ts';
import { look, type Theme } from './looking.ts';

const STATIONS: Station[] = ['Model', 'Data', 'Tune', 'Results', 'Prompt'];
async function lookAtStations(page: Page, theme: Theme, state: string): Promise<void> {
  for (const station of STATIONS) {
    await goTo(page, station);
    await look(page, theme, `${station.toLowerCase()}-${state}`);
  }
}

/** What is not a station: by its address, with a heading that says that it is there. */
const PANELS = [
  ['lessons', 'Lessons'],
  ['lessons/length', 'Length'],
  ['board', 'Class board'],
  ['kernels', 'Kernels'],
  ['prompt/inside', 'Inside the prompt'],
  ['prompt/together', 'One model, many prompts'],
] as const;

async function lookAtPanels(page: Page, theme: Theme): Promise<void> {
  for (const [path, title] of PANELS) {
    await page.evaluate((hash) => {
      window.location.hash = hash;
    }, `#/${path}`);
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    await look(page, theme, path.replace('/', '-'));
  }
}

/** Opens each dialog of the Tune station, and leaves it again. */
async function lookAtDialogs(page: Page, theme: Theme): Promise<void> {
  await goTo(page, 'Tune');
  const dialogs: [name: string, press: RegExp, until?: RegExp][] = [
    ['settings', /^All \d+ settings$/],
    ['preflight', /^Preflight$/, /would end/],
    ['rates', /^Find a learning rate$/],
    ['share', /^Share$/],
  ];
  for (const [name, press, until] of dialogs) {
    await page.getByRole('button', { name: press }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toBeVisible();
    if (until) await expect(dialog.getByText(until)).toBeVisible({ timeout: SLOW });
    await look(page, theme, name);
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
  }
}

test('every panel, light and dark, on a phone, a laptop and a projector: axe finds nothing serious', async ({
  page,
}) => {
  test.setTimeout(420_000);
  await page.emulateMedia({ colorScheme: 'light' });
  await openStudio(page, `${SHADERS}&model=tiny`);
  await lookAtStations(page, 'light', 'new');
  await setRecipe(page, { Steps: 40, Batch: 8 });
  await train(page);
  await measure(page);
  await expect(page.getByText(/the untuned model [\d.]+ %/)).toBeVisible({ timeout: SLOW });
  await page.evaluate(() => {
    window.location.hash = '#/kernels';
  });
  await page.getByRole('button', { name: 'Measure a step' }).click();
  await expect(page.getByRole('slider', { name: 'Dispatches of the step' })).toBeVisible({ timeout: SLOW });
  for (const theme of ['light', 'dark'] as const) {
    await lookAtStations(page, theme, 'trained');
    await lookAtPanels(page, theme);
    await lookAtDialogs(page, theme);
    if (theme === 'light') await page.getByRole('button', { name: 'Dark theme' }).click();
  }
});

test('on a phone the middle comes first, and Train stays at the bottom edge', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openStudio(page);
  await goTo(page, 'Tune');
  await expect(page.getByRole('button', { name: 'Train', exact: true })).toBeInViewport();
  const top = (name: string) =>
    page.getByRole('region', { name }).evaluate((element) => element.getBoundingClientRect().top);
  expect(await top('What happens')).toBeLessThan(await top('What goes in'));
});
