/** The part of the protocol that is about taking a prompt to other runtimes; `protocol.ts` is the door to it. */
import type { OnProgress, PromptRef } from './protocol.ts';

/** What a download for other runtimes would be, tried out here: its own ONNX file, its own script. */
export interface DeploymentReport {
  files: { name: string; bytes: number }[];
  /** All together, and without the model. */
  bytes: { all: number; withoutModel: number };
  /** Milliseconds a prediction takes on this computer's processor: the median of `rows`. */
  milliseconds: number;
  threads: number;
  /** Dev rows that were predicted, and on how many of them the studio says the same label. */
  rows: number;
  agree: number;
  /** Largest difference of a probability from the studio's. */
  largest: number;
}

/** A file that may be too large for one array. */
export interface ExportedBlob {
  name: string;
  type: string;
  bytes: Blob;
}

export interface Deployments {
  /**
   * Makes the ONNX model, and predicts dev rows with the script that would ship. Rejects `bad-prompt` without a soft prompt,
   * `out-of-memory` for a model that a tab cannot hold twice.
   */
  checkDeployment(prompt: PromptRef, onProgress: OnProgress): Promise<DeploymentReport>;
  /**
   * A zip: ONNX model (or how to come by it), prompt, tokenizer, a page, and scripts for Node and Python.
   * @param withModel one model file serves every prompt learned on it
   */
  exportDeployment(prompt: PromptRef, withModel: boolean): Promise<ExportedBlob>;
}
