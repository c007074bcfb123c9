/**
 * The studio: what a person sees. Five stations (Model, Data, Tune, Results, Prompt) over zustand stores that know no React
 * and speak with the engine's worker through one typed protocol (`src/worker/protocol.ts`).
 *
 * `mountStudio(root, startEngine())` is all that the page needs.
 */
export { startEngine } from './engine.ts';
export { isolatePage } from './isolation.ts';
export { mountStudio } from './mount.tsx';
