import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/jetbrains-mono/index.css';
import './theme.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { Engine } from '../worker/protocol.ts';
import { App } from './shell/App.tsx';
import { applyLook, createLook } from './shell/settings.ts';
import { playRecording } from './stores/connect.ts';
import { openSetting } from './stores/openSetting.ts';
import { readSetting } from './stores/setting.ts';
import { createStudio, type Studio } from './studio.tsx';

/** The run that plays until one's own begins. */
const RECORDING = 'recordings/default.json';

/**
 * Draws the studio into `root` and begins: device, model and sample, the default ones or those of the link.
 * @param search the part of the address after `?`
 */
export function mountStudio(
  root: HTMLElement,
  engine: Engine,
  search: string = window.location.search,
): Studio {
  const asked = readSetting(search);
  const look = createLook();
  applyLook(look, document.documentElement);
  const studio = createStudio(engine, asked.setting);
  createRoot(root).render(
    <StrictMode>
      <App studio={studio} look={look} />
    </StrictMode>,
  );
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  void playRecording(studio, new URL(RECORDING, document.baseURI).href, still);
  openSetting(studio, asked);
  return studio;
}
