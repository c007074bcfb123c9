import type { Dims, Tensor } from './kernel.ts';

/** A value of the ONNX graph that is being written, by its name there. */
export type OnnxValue = string & { readonly onnx: unique symbol };

/** A bare number is an integer attribute, `{ f }` a float, an array integers. */
export type OnnxAttribute = number | { f: number } | string | readonly number[];

/** What a run's fed inputs are made of: the batch as the shaders read it. */
export interface OnnxBatch {
  dims: Dims;
  /** Data of an input tensor. */
  read(tensor: Tensor): Uint32Array;
  /** Rows of a state in this run. */
  rows(state: Tensor): number;
}

/**
 * An input of the ONNX graph that is computed outside of it for every batch, from what the shaders read: where WGSL follows ranges
 * and lists of rows, ONNX wants indices and masks.
 */
export interface OnnxFeed {
  /** Unique by what it means: feeds of one name are one input. */
  name: string;
  dtype: 'f32' | 'i32';
  /** The batch input it is made of, and what of it: how an exported model, which is fed no packed batches, knows what is meant. */
  origin: { tensor: Tensor; part: string } | { scalar: string };
  /** Sizes by name where they change with the batch. */
  shape: readonly (number | string)[];
  compute(batch: OnnxBatch): { data: Float32Array | Int32Array; shape: number[] };
}

/**
 * What an op writes its ONNX form into, beside its kernels: tensors are matrices here as there, packed rows stay packed. Values are
 * written once and read any number of times; an op that leads back may reuse what its forward pass computed (`once`).
 */
export interface OnnxEmitter {
  /** The value of a tensor that was written before, of a weight (as f32), or of a state that the graph takes as an input. */
  value(tensor: Tensor): OnnxValue;
  /** Names the value of a tensor. */
  set(tensor: Tensor, value: OnnxValue): void;
  /** Some columns of a tensor; together they must cover it before it is read. */
  setColumns(tensor: Tensor, from: number, count: number, value: OnnxValue): void;
  /** A node with one output. An empty string skips an optional input. */
  node(
    op: string,
    inputs: readonly (OnnxValue | '')[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): OnnxValue;
  /** A node with several outputs. */
  split(
    op: string,
    inputs: readonly OnnxValue[],
    outputs: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): OnnxValue[];
  /** A constant: a scalar, or a tensor of that shape. */
  f32(values: number | readonly number[], shape?: readonly number[]): OnnxValue;
  i64(values: readonly number[]): OnnxValue;
  feed(feed: OnnxFeed): OnnxValue;
  /** Makes something the first time, and gives the same ever after. */
  once<T>(key: string, make: () => T): T;
}

/** A scalar of `Dims` as an input. */
export const scalarFeed = (name: string): OnnxFeed => ({
  name,
  origin: { scalar: name },
  dtype: 'f32',
  shape: [],
  compute: ({ dims }) => ({ data: Float32Array.of(dims[name]), shape: [] }),
});
