import { bytesSource, openSafetensors, toFloat32, type WeightFile } from '../../src/weights/index.ts';
import type { GpuContext } from '../harness/index.ts';

/** Files of a reference folder, found by the relative paths that its cases name. */
export interface ReferenceFiles {
  paths: readonly string[];
  json(path: string): Promise<unknown>;
  bytes(path: string): Promise<Uint8Array>;
  /** A path as a case at `from` names it: relative to the root, to the case's folder, or to a folder above it. */
  resolve(from: string, path: string): string | undefined;
}

/** Files of the folder `models` beside the root, which real models are too large for. */
const BESIDE = '../models/';

/** @param beside whether there is a folder `../models`, served as /beside */
export async function openFiles(context: GpuContext, root: string, beside = false): Promise<ReferenceFiles> {
  const paths = [
    ...(await context.list(root)),
    ...(beside ? await context.list('/beside') : []).map((path) => BESIDE + path),
  ];
  const bytes = (path: string) =>
    context.fetchBytes(path.startsWith(BESIDE) ? `/beside/${path.slice(BESIDE.length)}` : `${root}/${path}`);
  return {
    paths,
    bytes,
    json: async (path) => JSON.parse(new TextDecoder().decode(await bytes(path))),
    resolve(from, path) {
      const folders = from.split('/').slice(0, -1);
      for (let depth = folders.length; depth >= 0; depth--) {
        const candidate = [...folders.slice(0, depth), path].join('/');
        if (paths.some((known) => known === candidate || known.startsWith(`${candidate}/`))) return candidate;
      }
      return undefined;
    },
  };
}

export interface NamedTensors {
  file: WeightFile;
  f32(name: string): Promise<Float32Array<ArrayBuffer>>;
}

export async function openTensors(files: ReferenceFiles, path: string): Promise<NamedTensors> {
  const file = await openSafetensors(bytesSource(await files.bytes(path), path));
  return {
    file,
    async f32(name) {
      return new Float32Array(toFloat32(await file.read(name), file.tensors.get(name)!.dtype));
    },
  };
}

/** max|a - b| / max|b|; infinite where the lengths differ or a value is not finite. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(actual[i] - expected[i]);
    if (!Number.isFinite(d)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, d);
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return scale > 0 ? difference / scale : difference;
}
