/**
 * The room of the graph's other lowering: ONNX, written from the same nodes that drive the shaders, as protobuf, and run by
 * ONNX Runtime on WASM where a tab has no WebGPU. Knows no model and no recipe.
 */
export { IR_VERSION, lowerGraph, OPSET } from './lower.ts';
export {
  createOnnxProgram,
  encodeProgram,
  type FrozenValues,
  programInputs,
} from './program.ts';
export {
  encodeModel,
  MAX_PROTO_BYTES,
  type TensorProto,
  type ValueInfo,
} from './proto.ts';
export { loadRuntime, type OnnxRuntime, usableThreads } from './runtime.ts';
