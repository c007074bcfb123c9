/**
 * `npm run reference -- DIR`: runs every case under a folder in the format of the reference values, on WebGPU or with
 * `--engine onnx` on ONNX Runtime's WASM, or with `--engine both` how far these two are from each other, and prints one line a case. Fails when a case does, or when none ran.
 */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runOnGpu } from '../bench/harness/index.ts';
import { command, GPU_USAGE, gpuOptions, printLine, readGpuOptions } from './gpuOptions.ts';
import { ROOT } from './processes.ts';

const ENGINES = ['webgpu', 'onnx', 'both'];
const ORT = join(ROOT, 'node_modules/onnxruntime-web/dist');

const USAGE = `Usage: npm run reference -- DIR ${GPU_USAGE} [--engine ${ENGINES.join('|')}] [--filter TEXT]`;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...gpuOptions, engine: { type: 'string', default: 'webgpu' }, filter: { type: 'string' } },
  });
  const options = readGpuOptions(values);
  if (positionals.length !== 1) throw new Error('Name one folder with reference cases.');
  if (!ENGINES.includes(values.engine))
    throw new Error(`--engine ${values.engine}: it can be ${ENGINES.join(' or ')}.`);
  const folder = resolve(positionals[0]);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new Error(`There is no folder ${folder}.`);
  return { options, folder, filter: values.filter, engine: values.engine };
}

async function main({ options, folder, filter, engine }: ReturnType<typeof readArguments>): Promise<number> {
  // Cases of real models name them as ../models/NAME.
  const besides = join(folder, '../models');
  const { ok, failed, skipped } = (await runOnGpu({
    ...options,
    entry: 'bench/reference/run.ts',
    folders: {
      '/reference': folder,
      '/ort': ORT,
      ...(existsSync(besides) ? { '/beside': besides } : {}),
    },
    args: { filter, engine, beside: existsSync(besides) },
    onMessage: printLine,
  })) as { ok: number; failed: number; skipped: number };
  console.log(`${ok} ok, ${failed} failed, ${skipped} skipped`);
  if (ok + failed === 0) console.error(`No case ran: ${folder} has none that fits.`);
  return failed > 0 || ok === 0 ? 1 : 0;
}

await command(USAGE, readArguments, main);
