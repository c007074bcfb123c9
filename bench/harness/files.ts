/** Read-only folders under names, for an entry module: the same rules over HTTP and in Node. */
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import type { Connect } from 'vite';

/** Asked for with `?path=/FOLDER`, answers with the folder's files as JSON. */
export const LIST_PATH = '/@list';

export interface ServedFolders {
  fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  list(path: string): Promise<string[]>;
  middleware: Connect.NextHandleFunction;
}

export function serveFolders(folders: Record<string, string>): ServedFolders {
  /** The path on disk, undefined when no folder of that name is served. */
  const locate = (path: string): string | undefined => {
    const name = Object.keys(folders).find((key) => path === key || path.startsWith(`${key}/`));
    if (name === undefined) return undefined;
    const base = resolve(folders[name]);
    const found = resolve(base, `.${path.slice(name.length) || '/'}`);
    if (found !== base && !found.startsWith(base + sep)) throw new Error(`${path} lies outside of ${name}.`);
    return found;
  };
  const need = (path: string): string => {
    const found = locate(path);
    if (!found)
      throw new Error(`${path}: no such folder is served; there are ${Object.keys(folders).join(', ')}.`);
    return found;
  };

  const list = async (path: string): Promise<string[]> => {
    const base = need(path);
    const entries = await readdir(base, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(base, resolve(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  };

  return {
    list,
    fetchBytes: async (path) => new Uint8Array(await readFile(need(path))),
    async middleware(request, response, next) {
      const url = new URL(request.url ?? '/', 'http://localhost');
      try {
        if (url.pathname === LIST_PATH) {
          response.setHeader('Content-Type', 'application/json');
          response.end(JSON.stringify(await list(url.searchParams.get('path') ?? '')));
          return;
        }
        const found = locate(decodeURIComponent(url.pathname));
        if (!found) return next();
        const { size } = await stat(found);
        response.setHeader('Content-Type', 'application/octet-stream');
        response.setHeader('Content-Length', size);
        createReadStream(found)
          .on('error', (error) => response.destroy(error))
          .pipe(response);
      } catch (error) {
        response.statusCode = 404;
        response.end((error as Error).message);
      }
    },
  };
}
