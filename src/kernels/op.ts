import type { AttentionSettings } from './attention/attention.ts';
import type { Dtype, Kernel, KernelTraits, Size, Tensor } from './kernel.ts';
import type { OnnxEmitter } from './onnx.ts';

/**
 * What an op writes itself into: the graph, seen from below. An op is a function `(builder, inputs, settings) => output` that
 * records the kernels of its forward pass and, beside them, its vector-Jacobian product.
 */
export interface Builder {
  readonly traits: KernelTraits;
  /** A new activation [rows, cols]. */
  tensor(name: string, rows: Size, cols: number, dtype?: Dtype): Tensor;
  record(node: Node): void;
}

export interface Node {
  op: string;
  /** Tensors read, tensors written. A tensor in both is updated in place. */
  inputs: Tensor[];
  outputs: Tensor[];
  kernels: Kernel[];
  /** The same in ONNX: the graph's other lowering. */
  onnx?(e: OnnxEmitter): void;
  /** An attention: what it attended with, for who wants to see the weights that the fused kernel does not keep. */
  attends?: Attends;
  /** A measurement for a person's eyes: left out of a run that does not ask for it. */
  tap?: boolean;
  /** Set by the graph on nodes of the way back: the forward node whose gradient this is a part of. */
  backOf?: Node;
  /** Set on nodes that run a second time on the way back, to save memory: the first. */
  again?: Node;
  /**
   * Adds to the gradients of the inputs, given those of the outputs. Called once in the backward pass, after every reader of
   * the outputs; never where no input leads to a trainable leaf.
   */
  vjp?(back: Backward): void;
}

export interface Attends {
  settings: AttentionSettings;
  /** [M, heads] log-sum-exp of each query's scores. */
  lse: Tensor;
}

/** The backward pass, as an op's `vjp` sees it. */
export interface Backward extends Builder {
  /** Whether the gradient of this tensor leads to a trainable leaf. */
  wants(tensor: Tensor): boolean;
  /** d loss / d tensor, summed over all its readers; undefined where nothing came back. */
  grad(tensor: Tensor): Tensor | undefined;
  contribute(tensor: Tensor, part: Contribution): void;
}

/**
 * One reader's part of a tensor's gradient. Sums are left to the graph so that the usual one, a residual stream and the
 * branch that leaves it, costs no dispatch: the branch's last kernel adds.
 */
export type Contribution =
  /** The gradient is this very tensor. */
  | { kind: 'pass'; tensor: Tensor }
  /** A kernel that computes the gradient, and adds `addend` in the same dispatch where there is one. */
  | { kind: 'add'; make(addend: Tensor | undefined): Tensor }
  /** The reader used some columns only, and writes these into the whole gradient. Parts must cover all columns once. */
  | { kind: 'columns'; from: number; count: number; write(into: Tensor): void };
