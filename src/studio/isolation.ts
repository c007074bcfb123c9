/**
 * Cross-origin isolation on plain static hosts: a service worker adds the two headers that the host does not send, and the page
 * loads once more. Without it all works on one thread.
 */

const SCRIPT = 'isolation-worker.js';
/** Set before the one reload, so that a page that stays unisolated (in a frame, say) never reloads again. */
const TRIED_KEY = 'prelude.isolation';

/** What of the browser it needs; for tests. */
export interface Surroundings {
  isolated: boolean;
  secure: boolean;
  services?: Pick<ServiceWorkerContainer, 'register' | 'controller' | 'addEventListener'>;
  /** Whether the person has pressed anything yet. */
  touched(): boolean;
  tried(): boolean;
  /** @returns false where nothing can be kept, so that a second reload could not be told from a first */
  setTried(): boolean;
  reload(): void;
}

/** Registers the worker where the page is not isolated, and reloads once before anything has begun; else the next visit has it. */
export async function isolatePage(around: Surroundings = surroundings()): Promise<void> {
  const { isolated, secure, services } = around;
  if (isolated || !secure || !services || around.tried()) return;
  const taken = new Promise<void>((resolve) => {
    if (services.controller) resolve();
    else services.addEventListener('controllerchange', () => resolve(), { once: true });
  });
  try {
    await services.register(new URL(SCRIPT, document.baseURI).href);
  } catch {
    // Forbidden here: one thread it is.
    return;
  }
  await taken;
  if (!around.touched() && around.setTried()) around.reload();
}

function surroundings(): Surroundings {
  return {
    isolated: window.crossOriginIsolated,
    secure: window.isSecureContext,
    services: navigator.serviceWorker,
    touched: () => navigator.userActivation?.hasBeenActive ?? false,
    tried() {
      try {
        return window.sessionStorage.getItem(TRIED_KEY) !== null;
      } catch {
        return true;
      }
    },
    setTried() {
      try {
        window.sessionStorage.setItem(TRIED_KEY, '1');
        return true;
      } catch {
        return false;
      }
    },
    reload: () => window.location.reload(),
  };
}
