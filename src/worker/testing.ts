import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadTokenizer, type Tokenizer } from '../text/index.ts';

const PUBLIC = new URL('../../public/', import.meta.url);

/** A server of the project's `public/` folder on this machine. For tests. */
export async function servePublic(): Promise<{ url: string; close: () => void }> {
  const server = createServer(async (request, response) => {
    const bytes = await readFile(new URL(request.url!.slice(1), PUBLIC)).catch(() => undefined);
    if (bytes) response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => void server.close(),
  };
}

/** A file of `public/`. */
export function publicFile(path: string): Promise<Buffer> {
  return readFile(new URL(path, PUBLIC));
}

/** The built-in models' tokenizer. */
export async function builtinTokenizer(): Promise<Tokenizer> {
  const json = async (file: string): Promise<unknown> => JSON.parse((await publicFile(file)).toString());
  return loadTokenizer(await json('models/tokenizer.json'), await json('models/tokenizer_config.json'));
}

/** A CSV file of these rows. */
export function csv(
  rows: readonly (readonly string[])[],
  name = 'own.csv',
  header = ['text', 'label'],
): File {
  const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  return new File([[header, ...rows].map((row) => row.map(quoted).join(',')).join('\n')], name);
}
/** n different rows for each label: text, label. */
export const rowsOf = (labels: readonly string[], n: number, word = 'row') =>
  Array.from({ length: n * labels.length }, (_, i) => [
    `The ${word} number ${i} is here`,
    labels[i % labels.length]!,
  ]);
