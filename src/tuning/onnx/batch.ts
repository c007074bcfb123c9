import type { Dims, Tensor } from '../../kernels/index.ts';
import { type FrozenTensor, readResident, type Seq2SeqModel } from '../../models/index.ts';
import type { FrozenValues } from '../../onnx/index.ts';
import type { WeightFile } from '../../weights/index.ts';
import type { BatchExample } from '../batch.ts';
import { type BatchInputs, writeBatch } from '../inputs.ts';

/** A packed batch as ONNX programs take it: the arrays that the shaders would read. */
export function collectBatch(
  inputs: BatchInputs,
  examples: readonly BatchExample[],
  startId: number,
): { dims: Dims; inputs: Map<Tensor, Uint32Array> } {
  const arrays = new Map<Tensor, Uint32Array>();
  const dims = writeBatch(
    { write: (tensor, data) => void arrays.set(tensor, data as Uint32Array) },
    inputs,
    examples,
    startId,
  );
  return { dims, inputs: arrays };
}

/** Reads a model's frozen matrices one by one, as a program asks for them. */
export function frozenValues(
  model: Pick<Seq2SeqModel, 'frozen'>,
  weights: WeightFile,
): (tensor: Tensor) => Promise<FrozenValues> {
  const byTensor = new Map<Tensor, FrozenTensor>(model.frozen.map((frozen) => [frozen.tensor, frozen]));
  return async (tensor) => {
    const frozen = byTensor.get(tensor);
    if (!frozen) throw new Error(`${tensor.name} is no frozen matrix of this model`);
    return readResident(weights, frozen);
  };
}

/** Lets other messages of this thread through: ONNX Runtime's runs block it, and its promises alone never let go. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
