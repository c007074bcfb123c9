/** What was taken home, run where it is meant to run: Node, Python, a page of any static server. */
import { spawn, spawnSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join, normalize } from 'node:path';
import { unzipSync } from 'fflate';
import { ROOT } from '../scripts/processes.ts';

/** Unpacks a zip into a new folder, beside this project's packages in place of `npm install`. */
export function unpack(zip: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'prelude-shipped-'));
  for (const [name, bytes] of Object.entries(unzipSync(zip))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

/** A built-in model as Hugging Face's libraries want a folder: the family shares one tokenizer. */
export function builtinFolder(id: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'prelude-model-'));
  const models = join(ROOT, 'public/models');
  for (const name of ['config.json', 'generation_config.json', 'model.safetensors'])
    symlinkSync(join(models, id, name), join(folder, name));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    symlinkSync(join(models, name), join(folder, name));
  return folder;
}

/** What a program printed. @throws Error with what it complained of */
export async function output(command: string, args: string[], cwd: string): Promise<string> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' },
    timeout: 120_000,
  });
  let out = '';
  let complaints = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    complaints += data;
  });
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}: ${complaints.slice(-2000)}`);
  return out;
}

/** Whether Python is here with these modules. */
export const pythonHas = (...modules: string[]): boolean =>
  spawnSync('python3', ['-c', `import ${modules.join(', ')}`], { timeout: 60_000 }).status === 0;

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** A plain static server: no headers of its own, as many hosts are. */
export async function serveFolder(folder: string): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url!, 'http://localhost').pathname));
    const found = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    if (!existsSync(found) || !statSync(found).isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream' });
    createReadStream(found).pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
