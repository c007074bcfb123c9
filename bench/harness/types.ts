import type { AdapterName } from '../../scripts/chromium.ts';

/** `browser`: Chromium, as a person has it. `dawn`: WebGPU for Node, without a browser. */
export type Runtime = 'browser' | 'dawn';
export const RUNTIMES: Runtime[] = ['browser', 'dawn'];

/** What the entry module's default export is called with, the same in both runtimes. */
export interface GpuContext {
  gpu: GPU;
  runtime: Runtime;
  /** As given to `runOnGpu`. */
  args: unknown;
  /** A served file, `/FOLDER/relative/path`. Rejects when it is not there. */
  fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Files under a served folder at any depth, relative to it, with forward slashes, sorted. */
  list(path: string): Promise<string[]>;
  /** Sends something JSON-able to `onMessage`. */
  send(message: unknown): void;
}

/** The default export of an entry module. What it returns must be JSON-able. */
export type GpuEntry = (context: GpuContext) => Promise<unknown>;

export interface RunOptions {
  /** The entry module, relative to the repository. */
  entry: string;
  runtime: Runtime;
  /** Default: `PRELUDE_ADAPTER` in the environment, else SwiftShader. */
  adapter?: AdapterName;
  /** Served folders: a name such as `/reference`, and where it is. `/models` and `/samples` are those of `public/`. */
  folders?: Record<string, string>;
  /** JSON-able. */
  args?: unknown;
  onMessage?(message: unknown): void;
  /** Wall-clock limit of the whole run, starting the runtime included. */
  timeoutSeconds: number;
}

/** What the hosts get: every choice made. */
export interface Job {
  entry: string;
  adapter: AdapterName;
  folders: Record<string, string>;
  args: unknown;
}
