/**
 * The rooms of the arithmetic: one folder an op, with its formula, its gradient, its shaders, its slow clear reference in
 * float64 and its test. Nothing here touches a device; a kernel is text, buffers, and functions of the batch's sizes.
 */
export * from './kernel.ts';
export type { Backward, Builder, Contribution, Node } from './op.ts';
export { rmsNorm } from './rms_norm/rms_norm.ts';
export { packUniforms } from './uniforms.ts';
