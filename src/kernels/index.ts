/**
 * The rooms of the arithmetic: one folder an op, with its formula, its gradient, its shaders, its slow clear reference in
 * float64 and its test. Nothing here touches a device; a kernel is text, buffers, and functions of the batch's sizes.
 */
export { add } from './add/add.ts';
export { argmax } from './argmax/argmax.ts';
export { type AttentionSettings, attention } from './attention/attention.ts';
export { attentionWeights } from './attention_weights/attention_weights.ts';
export { type Ceilings, measureCeilings } from './ceiling/ceiling.ts';
export { embed, PROMPT_ROW } from './embed/embed.ts';
export {
  formatBytes,
  holdsRows,
  layOut,
  publishedBytes,
  uploadUnit,
  type WeightDtype,
  weightDtypes,
} from './formats/index.ts';
export { type Activation, activate, gate } from './gate/gate.ts';
export { gatherRows } from './gather_rows/gather_rows.ts';
export { type HeadGroups, headNorm } from './head_norm/head_norm.ts';
export * from './kernel.ts';
export { layerNorm } from './layer_norm/layer_norm.ts';
export { linear } from './matmul/linear.ts';
export { type MatmulShape, type MatmulTile, tileKey } from './matmul/tiles.ts';
export { adapterKey, type MatmulTuning, tunedTiles, tuneMatmuls } from './matmul/tune.ts';
export type { OnnxAttribute, OnnxEmitter, OnnxFeed, OnnxValue } from './onnx.ts';
export type { Backward, Builder, Contribution, Node } from './op.ts';
export { adafactor } from './optimizer/adafactor.ts';
export { optimizeOnCpu } from './optimizer/cpu.ts';
export { adamw, sgd } from './optimizer/elementwise.ts';
export { type OptimizerRule, optimize, STAT, STAT_COLUMNS } from './optimizer/optimizer.ts';
export { rowNorms, sumSquares } from './reduce/reduce.ts';
export { rmsNorm } from './rms_norm/rms_norm.ts';
export { rope, ropeTable } from './rope/rope.ts';
export {
  chunkedScoreSequences,
  chunkedSequenceLoss,
  type Head,
  headChunk,
} from './sequence_loss/chunked.ts';
export { type LossInputs, lossInputs, packTerms } from './sequence_loss/pack.ts';
export { type LossMode, scoreSequences, sequenceLoss } from './sequence_loss/sequence_loss.ts';
export { softCap } from './soft_cap/soft_cap.ts';
export { packUniforms } from './uniforms.ts';
