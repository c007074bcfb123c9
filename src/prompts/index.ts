/**
 * Where learned soft prompts live once they are learned: taken home as files that other tools read (a PEFT adapter, the
 * paper's .npy, JSON), read back with everything checked, kept in this browser under names, and looked at (nearest words, a
 * map). A leaf: plain arrays in and out, nothing of GPU, training or React. Runs on a page, in a worker and in Node.
 */
export { predictScript } from './card.ts';
export { adoptPrompt, checkFits } from './fits.ts';
export { importPromptFiles } from './import.ts';
export { exportJson } from './json.ts';
export { nearestTokens, randomNearest, rowNorms } from './nearest.ts';
export { exportNpy } from './npy.ts';
export { type Plane, pca2, projectOn } from './pca.ts';
export { exportPeft } from './peft.ts';
export {
  type DeletedPrompt,
  type KeptPrompt,
  openPromptStore,
  openRunStore,
  type PromptStore,
  type RunStore,
} from './store.ts';
export type {
  PromptModel,
  SoftPrompt,
} from './types.ts';
