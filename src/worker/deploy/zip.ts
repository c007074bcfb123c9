import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';

export interface ZippedFile {
  name: string;
  parts: readonly Uint8Array[];
  /** Weights do not become smaller. */
  compress: boolean;
}

/** fflate writes no zip64: sizes are 32 bits wide. */
export const MAX_ZIP_BYTES = 2 ** 32 - 2 ** 20;

/** A zip as a blob, which a browser may keep on disk; no more than one part is copied at a time. */
export function zipBlob(files: readonly ZippedFile[]): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const chunks: BlobPart[] = [];
    const zip = new Zip((error, chunk, final) => {
      if (error) return reject(error);
      // A blob takes its bytes over; fflate may use its own buffer again.
      chunks.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
      if (final) resolve(new Blob(chunks, { type: 'application/zip' }));
    });
    for (const { name, parts, compress } of files) {
      const entry = compress ? new ZipDeflate(name, { level: 6 }) : new ZipPassThrough(name);
      // The same files make the same bytes on every day.
      entry.mtime = new Date(1980, 0, 1);
      zip.add(entry);
      for (const [i, part] of parts.entries()) entry.push(part, i === parts.length - 1);
    }
    zip.end();
  });
}
