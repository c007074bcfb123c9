/** What a dropped item can be: a file, a folder with more of both, or text. */
export type DropEntry =
  | { kind: 'file'; getFile(): Promise<File> }
  | { kind: 'directory'; name: string; getEntries(): AsyncIterable<DropEntry> }
  | { kind: 'text' };

/** Files in what was dropped, down to the third level: a model's or an adapter's folder, not a whole disk. */
export async function droppedFiles(
  entries: Iterable<DropEntry> | AsyncIterable<DropEntry>,
  depth = 3,
): Promise<File[]> {
  const files: File[] = [];
  for await (const entry of entries) {
    if (entry.kind === 'file') files.push(await entry.getFile());
    else if (entry.kind === 'directory' && depth > 0)
      files.push(...(await droppedFiles(entry.getEntries(), depth - 1)));
  }
  return files;
}
