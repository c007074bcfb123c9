/** Which browser this is, and how WebGPU is switched on in it. */

export type BrowserName = 'Chrome' | 'Edge' | 'Firefox' | 'Safari';

/** @param agent `navigator.userAgent` */
export function detectBrowser(agent: string): BrowserName | undefined {
  if (/\bEdg(e|A|iOS)?\//.test(agent)) return 'Edge';
  if (/\bFirefox\/|\bFxiOS\//.test(agent)) return 'Firefox';
  if (/Chrom(e|ium)\/|\bCriOS\//.test(agent)) return 'Chrome';
  if (/\bSafari\//.test(agent)) return 'Safari';
  return undefined;
}

export interface BrowserHelp {
  name: BrowserName;
  steps: string[];
}

const CHROMIUM_STEPS = (scheme: string, name: string): string[] => [
  `${name} 113 or newer has WebGPU switched on under Windows, macOS and ChromeOS, and ${name} 121 or newer under Android 12. Update it first.`,
  `Open ${scheme}://settings/system, switch on "Use graphics acceleration when available", and press Relaunch.`,
  `Under Linux open ${scheme}://flags/#enable-unsafe-webgpu and ${scheme}://flags/#enable-vulkan, set both to Enabled, and press Relaunch.`,
  `If the graphics card is on the blocklist, set ${scheme}://flags/#ignore-gpu-blocklist to Enabled. ${scheme}://gpu says what WebGPU lacks.`,
];

const HELP: Record<BrowserName, string[]> = {
  Chrome: CHROMIUM_STEPS('chrome', 'Chrome'),
  Edge: CHROMIUM_STEPS('edge', 'Edge'),
  Firefox: [
    'Firefox 141 or newer has WebGPU switched on under Windows, and Firefox 145 or newer under macOS on Apple silicon. Update it first.',
    'Elsewhere open about:config, set dom.webgpu.enabled to true, and restart Firefox.',
    'Under Linux Firefox Nightly has the newest WebGPU.',
  ],
  Safari: [
    'Safari 26 or newer has WebGPU switched on under macOS 26, iOS 26 and iPadOS 26. Update the system first.',
    'In Safari 18 under macOS: Settings, Advanced, "Show features for web developers"; then Feature Flags, switch on WebGPU.',
    'On an iPhone or iPad with iOS 18: Settings, Apps, Safari, Advanced, Feature Flags, switch on WebGPU.',
  ],
};

/** Help for all four browsers, the one that is in use first. */
export function browserHelp(agent: string): BrowserHelp[] {
  const own = detectBrowser(agent);
  const names = (Object.keys(HELP) as BrowserName[]).sort((a, b) => Number(b === own) - Number(a === own));
  return names.map((name) => ({ name, steps: HELP[name] }));
}
