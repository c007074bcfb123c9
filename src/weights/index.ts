/**
 * Where weights come from: files and folders of models as published, read piece by piece and checked strictly, because
 * a truncated or hostile file must give a clear error and never a wrong model. Knows bytes, tensors and dtypes; nothing
 * of architectures or the GPU. Runs in a worker, on a page and in Node.
 */
export { dequantize } from './blocks.ts';
export {
  createHubCache,
  type HubCache,
  keyOf,
} from './cache.ts';
export { fetchCatalog, fetchModel, type ModelCatalog, type ModelEntry, type ModelFile } from './catalog.ts';
export { toFloat32 } from './decode.ts';
export { fingerprintOf, parameterCount, sha256 } from './fingerprint.ts';
export { openGguf } from './gguf.ts';
export { toHalfBytes } from './half.ts';
export { chooseHubFiles, type HubFile, listHubFiles } from './hub.ts';
export { HUB_URL, type HubAddress, parseHubAddress } from './hub-address.ts';
export { peekHubFiles } from './hub-peek.ts';
export { jsonExcess } from './json.ts';
export {
  type LoadedModel,
  loadModelSources,
  modelFiles,
  peekModelSources,
} from './model-folder.ts';
export { opfsStore } from './opfs.ts';
export { quantize } from './quantize.ts';
export { openSafetensors, type TensorData, writeSafetensors } from './safetensors.ts';
export {
  type ByteSource,
  blobSource,
  bytesSource,
} from './source.ts';
export { type FileStore, memoryStore } from './store.ts';
export type { BlockType, DType, TensorInfo, WeightFile } from './types.ts';
export { byteLengthOf, countOf, readPart } from './types.ts';
