/**
 * `npm start`: serves the built studio on this computer, offline, building it first when it is missing or older than its
 * sources. `--port N` takes that port or fails; without it the first free one from 4173 on. `--host ADDRESS` for other
 * computers to reach it.
 */
import { parseArgs } from 'node:util';
import { buildIsStale } from './build.ts';
import { freePort, ROOT } from './processes.ts';

const FIRST_PORT = 4173;

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Vite's own range. Vite is loaded after this check, since an older Node fails while reading it. */
function checkNode(): void {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const enough = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (!enough)
    fail(
      `Prelude needs Node.js 20.19 or later (22.12 or later of the 22 series); this is ${process.versions.node}. Install a newer one from nodejs.org and run "npm ci && npm start" again.`,
    );
}

function readArguments(): { port: number | undefined; host: string } {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string' }, host: { type: 'string', default: '127.0.0.1' } },
    });
    if (values.port === undefined) return { port: undefined, host: values.host };
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      fail(`--port ${values.port} is no port: give a whole number from 1 to 65535.`);
    return { port, host: values.host };
  } catch (error) {
    fail(`${(error as Error).message}\nUsage: npm start -- [--port NUMBER] [--host ADDRESS]`);
  }
}

checkNode();
const { port: asked, host } = readArguments();
const { build, preview } = await import('vite');

const port = await freePort(asked ?? FIRST_PORT, host).catch((error: Error) => fail(error.message));
if (asked !== undefined && port !== asked)
  fail(`Port ${asked} is taken by another program. Choose another with --port, or leave it out.`);

if (buildIsStale()) {
  console.log('Building the studio (a few seconds, only after a change) ...');
  await build({ root: ROOT, logLevel: 'error' }).catch((error: Error) => fail(error.message));
}

const server = await preview({ root: ROOT, logLevel: 'warn', preview: { port, host, strictPort: true } });
const addresses = [...(server.resolvedUrls?.local ?? []), ...(server.resolvedUrls?.network ?? [])];
console.log(`\nPrelude is at ${addresses.join(' and ')}\nStop it with Ctrl-C.`);
if (asked === undefined && port !== FIRST_PORT)
  console.log(
    `Port ${FIRST_PORT} is taken. Prompts kept under another address are not seen here: a browser keeps them by address and port.`,
  );
if (server.resolvedUrls?.network.length)
  console.log(
    'Browsers give WebGPU to localhost and https only: other computers need an https proxy or an SSH tunnel.',
  );
