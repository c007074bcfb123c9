/** The browser's side: loads the entry module in the page and gives it its context. */
import type { GpuContext, GpuEntry } from './types.ts';

declare global {
  interface Window {
    /** Exposed by `browser.ts`. */
    preludeSend(message: unknown): Promise<void>;
  }
}

async function answered(response: Response): Promise<Response> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}

const encoded = (path: string) => path.split('/').map(encodeURIComponent).join('/');

/** Called by `browser.ts`. */
export async function runEntry(entry: string, listPath: string, args: unknown): Promise<unknown> {
  if (!navigator.gpu) throw new Error('This browser offers no WebGPU.');
  const sent: Promise<void>[] = [];
  const context: GpuContext = {
    gpu: navigator.gpu,
    runtime: 'browser',
    args,
    fetchBytes: async (path) =>
      new Uint8Array(await (await answered(await fetch(encoded(path)))).arrayBuffer()),
    list: async (path) =>
      (await answered(await fetch(`${listPath}?path=${encodeURIComponent(path)}`))).json(),
    send: (message) => void sent.push(window.preludeSend(message)),
  };
  const module = (await import(/* @vite-ignore */ `/${entry}`)) as { default: GpuEntry };
  const result = await module.default(context);
  await Promise.all(sent);
  return result;
}
