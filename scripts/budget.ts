/** A Vite plugin: the page's first script has a budget, and a build that goes over it fails. */
import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

/** Bytes after gzip of the page's script with all that it imports at once. Everything else is loaded when it is needed. */
export const FIRST_SCRIPT_BUDGET = 300_000;

export interface FirstLoad {
  /** Bytes after gzip. */
  script: number;
  styles: number;
  worker: number;
  /** As they are: woff2 is packed already. */
  fonts: number;
}

/** What a first visit loads before it can show the studio; the model's weights and the sample come after it. */
export function firstLoad(bundle: Rolldown.OutputBundle): FirstLoad {
  const files = Object.values(bundle);
  const entries = files.filter((file) => file.type === 'chunk' && file.isEntry);
  const chunks = new Set<string>();
  const take = (name: string) => {
    const file = bundle[name];
    if (chunks.has(name) || file?.type !== 'chunk') return;
    chunks.add(name);
    for (const next of file.imports) take(next);
  };
  for (const entry of entries) take(entry.fileName);
  const sum = (
    chosen: Rolldown.OutputBundle[string][],
    size: (file: Rolldown.OutputBundle[string]) => number,
  ) => chosen.reduce((total, file) => total + size(file), 0);
  const zipped = (file: Rolldown.OutputBundle[string]) =>
    gzipSync(file.type === 'chunk' ? file.code : file.source).length;
  // The entry's own style sheets: those of lazy chunks bear the chunk's name.
  const names = [...chunks].map((name) => (bundle[name] as Rolldown.OutputChunk).name);
  const assets = (pattern: RegExp) => files.filter(({ fileName }) => pattern.test(fileName));
  return {
    script: sum(
      [...chunks].map((name) => bundle[name]!),
      zipped,
    ),
    styles: sum(
      assets(/\.css$/).filter(({ fileName }) => names.some((name) => fileName.includes(`/${name}-`))),
      zipped,
    ),
    worker: sum(assets(/\/worker-[^/]*\.js$/), zipped),
    fonts: sum(assets(/-latin-wght-normal-[^/]*\.woff2$/), (file) =>
      file.type === 'asset' ? Buffer.from(file.source).length : 0,
    ),
  };
}

const inKb = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;

/** The same in a line, or the words of the failure. */
export function judge(load: FirstLoad, budget = FIRST_SCRIPT_BUDGET): { ok: boolean; words: string } {
  const total = load.script + load.styles + load.worker + load.fonts;
  const parts = `styles ${inKb(load.styles)}, worker ${inKb(load.worker)}, fonts ${inKb(load.fonts)}`;
  return load.script <= budget
    ? {
        ok: true,
        words: `First script ${inKb(load.script)} of ${inKb(budget)} gzipped; first load ${inKb(total)} (${parts}), without model and sample.`,
      }
    : {
        ok: false,
        words: `The first script has ${inKb(load.script)} gzipped; its budget is ${inKb(budget)}. Load what is not needed at once with import().`,
      };
}

export function budget(): Plugin {
  return {
    name: 'prelude-budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const { ok, words } = judge(firstLoad(bundle));
      if (!ok) this.error(words);
      console.log(words);
    },
  };
}
