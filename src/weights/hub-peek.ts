import type { HubFile, HubListing } from './hub.ts';
import { hubFileUrl } from './hub.ts';
import { ask, type HubAccess, persistently, piecesOf } from './hub-request.ts';
import type { ByteSource } from './source.ts';
import { downloadError } from './source.ts';

/** A server without ranges would send whole files: only those up to this size are looked into there. */
const MOST_WITHOUT_RANGES = 4 * 2 ** 20;

/**
 * Files of a model on a hub to look into without downloading them: configs, and the tables of contents of the weights. What is
 * read from a file's beginning is remembered, since a GGUF header is read in growing windows.
 * Named as in the model, without folders.
 */
export function peekHubFiles(
  listing: Pick<HubListing, 'address' | 'commit'>,
  files: readonly HubFile[],
  access: HubAccess = {},
): ByteSource[] {
  return files.map(({ path, bytes: size }) => {
    const url = hubFileUrl(listing, path);
    let beginning = new Uint8Array(0);
    const fetchPart = (offset: number, length: number) =>
      persistently(url, access, async () => {
        const response = await ask(url, access, { Range: `bytes=${offset}-${offset + length - 1}` });
        const whole = response.status !== 206;
        if (whole && size > MOST_WITHOUT_RANGES) {
          await response.body?.cancel().catch(() => undefined);
          throw downloadError(url, 'this server sends whole files only, so nothing is known before.');
        }
        const wanted = whole ? size : length;
        const bytes = new Uint8Array(wanted);
        let at = 0;
        for await (const piece of piecesOf(response, access)) {
          if (at + piece.byteLength > wanted)
            throw downloadError(url, `the server sends more than the ${wanted} bytes it was asked for.`);
          bytes.set(piece, at);
          at += piece.byteLength;
        }
        if (at !== wanted) throw downloadError(url, `${wanted} bytes were asked for, ${at} came.`);
        return whole ? bytes.subarray(offset, offset + length) : bytes;
      });
    return {
      name: path.split('/').at(-1)!,
      size,
      async read(offset, length) {
        // So written that NaN is refused too.
        if (!(offset >= 0 && length >= 0 && offset + length <= size))
          throw downloadError(
            url,
            `it has ${size} bytes; bytes ${offset} to ${offset + length} were asked for.`,
          );
        if (offset + length <= beginning.byteLength) return beginning.subarray(offset, offset + length);
        if (offset > beginning.byteLength) return fetchPart(offset, length);
        const rest = await fetchPart(beginning.byteLength, offset + length - beginning.byteLength);
        const longer = new Uint8Array(beginning.byteLength + rest.byteLength);
        longer.set(beginning);
        longer.set(rest, beginning.byteLength);
        beginning = longer;
        return beginning.subarray(offset, offset + length);
      },
    };
  });
}
