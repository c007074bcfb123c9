/** The part of the protocol that is about the second opinion; `protocol.ts` is the door to it. */
import type { PromptRef } from './protocol.ts';

/** How far the shaders' values are from ONNX Runtime's in one quantity. */
export interface OpinionDifference {
  /** max |a - b|, and max |b|: the largest magnitude ONNX Runtime gives. */
  largest: number;
  magnitude: number;
  /** Their quotient. */
  relative: number;
  /** Values compared. */
  count: number;
}

/** Our shaders and ONNX Runtime on the same rows, with the same prompt: two implementations of every operation. */
export interface SecondOpinionReport {
  rows: number;
  /** The shaders' adapter, in words. */
  adapter: string;
  loss: { shaders: number; onnx: number } & OpinionDifference;
  logits: OpinionDifference;
  gradient: OpinionDifference;
  seconds: number;
}

export interface Opinions {
  /**
   * Reads the first training rows with a soft prompt on both engines and compares logits, loss and gradient. Rejects `no-webgpu`,
   * `no-adapter`, `limit-too-small` where there are no shaders to check, `bad-prompt` where no soft prompt is chosen.
   */
  secondOpinion(prompt: PromptRef): Promise<SecondOpinionReport>;
}
