/**
 * The room of the device: opening it, its limits, buffers that are counted, pipelines that are compiled once, prepared
 * dispatches, results that come back late, and the template language of the shaders. Knows nothing of tensors or models.
 */
export {
  type Buffers,
  createBuffers,
  createReadbackRing,
  readBuffer,
} from './buffers.ts';
export { type Gpu, type OpenOptions, openGpu } from './device.ts';
export { type Dispatch, prepareDispatches, UNIFORM_STRIDE } from './dispatch.ts';
export { type BufferAccess, createPipelines, type Pipelines } from './pipelines.ts';
export { expandWgsl, type WgslConstants } from './wgsl.ts';
