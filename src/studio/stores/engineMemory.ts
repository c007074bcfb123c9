/** Which engine computes, kept for this visit and in the address: a reload does not measure again. */
import type { EngineChoice, EngineName } from '../../worker/protocol.ts';

const CHOICE_KEY = 'prelude.engine';
const READ_KEY = 'prelude.engine.read';

/** Storage may be forbidden, and tests have none: the choice then lasts as long as the page. */
function read(key: string): string | null {
  try {
    return globalThis.sessionStorage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}
function write(key: string, value: string): void {
  try {
    globalThis.sessionStorage?.setItem(key, value);
  } catch {
    // See above.
  }
}

export function rememberedEngine(): EngineChoice | undefined {
  try {
    const kept = JSON.parse(read(CHOICE_KEY) ?? 'null') as Partial<EngineChoice> | null;
    const known = kept?.engine === 'onnx' || kept?.engine === 'webgpu';
    return known && typeof kept.why === 'string' && Array.isArray(kept.times)
      ? (kept as EngineChoice)
      : undefined;
  } catch {
    return undefined;
  }
}

export function rememberEngine(choice: EngineChoice): void {
  write(CHOICE_KEY, JSON.stringify(choice));
}

/** The person's own choice also goes into the address, from where it can be shared. */
export function putIntoAddress(engine: EngineName): void {
  if (typeof window === 'undefined') return;
  const url = new URL(window.location.href);
  url.searchParams.set('engine', engine);
  window.history.replaceState(window.history.state, '', url);
}

/** Whether what the engine notice says has been read and dismissed. */
export const noticeWasRead = (choice: EngineChoice): boolean => read(READ_KEY) === choice.reason;
export const noticeIsRead = (choice: EngineChoice): void => write(READ_KEY, choice.reason);
