import type { DeviceReport } from '../worker/protocol.ts';

/** Software adapters by the names that people know them by. */
const KNOWN: [pattern: RegExp, name: string][] = [
  [/swiftshader/i, 'SwiftShader'],
  [/llvmpipe|lavapipe/i, 'lavapipe'],
  [/microsoft basic render|\bwarp\b/i, 'WARP'],
];

/** What to call an adapter: "Apple M2", "nvidia ampere", "SwiftShader". */
export function deviceName({ description, vendor, architecture }: DeviceReport): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ');
  return KNOWN.find(([pattern]) => pattern.test(name))?.[1] ?? (name || 'unnamed adapter');
}
