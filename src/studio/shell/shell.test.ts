import { describe, expect, test } from 'vitest';
import { browserHelp, detectBrowser } from './browser.ts';
import { createLook } from './settings.ts';

const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

describe('which browser this is', () => {
  test.each([
    [CHROME, 'Chrome'],
    [CHROME.replace('Chrome/', 'HeadlessChrome/'), 'Chrome'],
    [`${CHROME} Edg/141.0.0.0`, 'Edge'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0', 'Firefox'],
    [
      'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
      'Safari',
    ],
    [
      'Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0 Mobile/15E148 Safari/604.1',
      'Chrome',
    ],
    ['curl/8', undefined],
  ])('%s', (agent, name) => expect(detectBrowser(agent)).toBe(name));

  test('its own help stands first, and all four are there', () => {
    const help = browserHelp('Firefox/143.0');
    expect(help.map((entry) => entry.name)).toEqual(['Firefox', 'Chrome', 'Edge', 'Safari']);
    expect(help.every((entry) => entry.steps.length > 1)).toBe(true);
  });
});

describe('the look', () => {
  const around = (search: string, kept: Record<string, string> = {}, systemDark = false) => ({
    search,
    systemDark,
    read: (key: string) => kept[key] ?? null,
    write: (key: string, value: string) => {
      kept[key] = value;
    },
  });

  test('the URL decides, then what was chosen last, then the system', () => {
    expect(createLook(around('?theme=light', { 'prelude.theme': 'dark' }, true)).getState().theme).toBe(
      'light',
    );
    expect(createLook(around('', { 'prelude.theme': 'light' }, true)).getState().theme).toBe('light');
    expect(createLook(around('', {}, true)).getState().theme).toBe('dark');
    expect(createLook(around('?theme=pink')).getState().theme).toBe('light');
  });

  test('a toggle is remembered', () => {
    const kept: Record<string, string> = {};
    const look = createLook(around('?big', kept));
    expect(look.getState().big).toBe(true);
    look.getState().toggleTheme();
    look.getState().toggleBig();
    const again = createLook(around('', kept)).getState();
    expect([again.theme, again.big]).toEqual(['dark', false]);
  });
});
