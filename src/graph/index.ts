/**
 * The room of the graph: tensors, reverse-mode differentiation over ops that carry their own vector-Jacobian product, the
 * plan of who lives in which buffer when, and programs that run a graph for any batch up to a capacity.
 */
export { createGraph, type Graph, makeTensor } from './graph.ts';
export { livingNodes, planMemory } from './plan.ts';
export type { KernelTime, ProfileClock } from './profile.ts';
export {
  beginSubmission,
  buildProgram,
  createSession,
  freePersistent,
  type Program,
  persistentBuffer,
  type Session,
  upload,
  uploadPart,
} from './program.ts';
export { recompute } from './recompute.ts';
