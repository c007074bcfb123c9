/** The part of the protocol that is about which engine computes; `protocol.ts` is the door to it. */

import type { Recipe } from '../tuning/index.ts';

/** What trains and reads: our shaders, or ONNX Runtime on the processor where a tab has no WebGPU. */
export type EngineName = 'webgpu' | 'onnx';

/** `auto`: a GPU where there is one, the processor where there is no WebGPU, and what is faster where it is software. */
export type EngineWish = EngineName | 'auto';

/** What one engine took for a step of the person's own task. */
export interface EngineTime {
  engine: EngineName;
  /** Milliseconds of the fastest of its steps; undefined where it took none. */
  step?: number;
  /** Steps taken: fewer than three where the first were hopelessly slow. */
  steps: number;
  /** Why it took none. */
  problem?: string;
}

export interface EngineChoice {
  engine: EngineName;
  /**
   * `unmeasured`: the adapter is software, and the two engines have not been compared yet; `wanted`: the person's own choice;
   * `other-failed`: the other engine could not take a step.
   */
  reason: 'wanted' | 'no-webgpu' | 'gpu' | 'unmeasured' | 'faster' | 'other-failed';
  /** The same in a sentence. */
  why: string;
  /** What was measured, in the order of measuring. */
  times: EngineTime[];
  /** Examples of a measured step. */
  examples?: number;
}

export interface DeviceReport {
  engine: EngineName;
  choice: EngineChoice;
  vendor: string;
  architecture: string;
  description: string;
  /** A software adapter (SwiftShader, lavapipe, WARP): correct, but slow. */
  software: boolean;
  features: { shaderF16: boolean; subgroups: boolean; timestamps: boolean };
  limits: {
    bindingBytes: number;
    bufferBytes: number;
    storageBuffers: number;
    workgroupBytes: number;
    invocations: number;
  };
}

/** The engine's verbs about itself. */
export interface EngineSwitch {
  /**
   * Opens the adapter, or ONNX Runtime; a model that is loaded moves there. `auto` (the default) goes on with the processor where
   * there is no WebGPU, or only in software; then `compareEngines` says which is faster. Only `webgpu` rejects `no-webgpu`,
   * `no-adapter`, `limit-too-small`.
   */
  openDevice(engine?: EngineWish): Promise<DeviceReport>;
  /**
   * Up to three steps of the task that is set on either engine, then all moves to the faster one. Ends without a result when a run
   * starts, or model, data or engine change meanwhile.
   */
  compareEngines(recipe: Recipe): Promise<DeviceReport | undefined>;
}
