import type * as Ort from 'onnxruntime-web';

export type OnnxRuntime = typeof Ort;

export interface RuntimeOptions {
  /** Threads of the arithmetic. More than one needs a cross-origin isolated page. */
  threads?: number;
  /** The bytes of `ort-wasm-simd-threaded.wasm`, where they cannot be fetched: in Node. */
  wasm?: Uint8Array;
}

let loaded: Promise<OnnxRuntime> | undefined;

/** What a device can use: threads share memory, which a page may only when it is cross-origin isolated. */
export function usableThreads(): number {
  const isolated = typeof crossOriginIsolated === 'undefined' || crossOriginIsolated;
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  // Above four, half of the logical processors are usually another's second thread, and bring nothing here.
  return isolated ? Math.min(8, cores <= 4 ? cores : Math.ceil(cores / 2)) : 1;
}

/**
 * onnxruntime-web with its WASM from our own origin, fetched on first use: no part of the page's first script. Options count the first
 * time only, since a process has one such runtime.
 */
export function loadRuntime(options: RuntimeOptions = {}): Promise<OnnxRuntime> {
  loaded ??= load(options).catch((error) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function load({ threads = usableThreads(), wasm }: RuntimeOptions): Promise<OnnxRuntime> {
  const ort = await import('onnxruntime-web/wasm');
  const { env } = ort;
  env.logLevel = 'error';
  env.wasm.numThreads = threads;
  if (wasm) env.wasm.wasmBinary = wasm;
  else {
    // As a file of its own, so that a thread loads this and not the chunk of whoever asked for the runtime.
    const [glue, binary] = await Promise.all([
      import('onnxruntime-web/ort-wasm-simd-threaded.mjs?url'),
      import('onnxruntime-web/ort-wasm-simd-threaded.wasm?url'),
    ]);
    env.wasm.wasmPaths = { mjs: glue.default, wasm: binary.default };
  }
  return ort;
}
