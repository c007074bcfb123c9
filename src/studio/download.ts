import type { ExportedBlob, ExportedFile } from '../worker/protocol.ts';

/** Hands a file to the browser's downloads. */
export function saveFile({ name, type, bytes }: ExportedFile | ExportedBlob): void {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  // In the page, since some browsers pass over a press on a link outside of it.
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads the URL after this task; a minute is ample for the largest prompt.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
