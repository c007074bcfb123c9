import type { Tensor } from '../../kernels/index.ts';
import { type FrozenModel, type FrozenTensor, readWidened } from '../../models/index.ts';
import type { FrozenValues } from '../../onnx/index.ts';
import type { WeightFile } from '../../weights/index.ts';
import type { BatchExample } from '../batch.ts';
import type { Feed, Written } from '../feed.ts';

/** A packed batch as ONNX programs take it: the arrays that the shaders would read. */
export function collectBatch(
  feed: Feed,
  examples: readonly BatchExample[],
): Written & { inputs: Map<Tensor, Uint32Array> } {
  const arrays = new Map<Tensor, Uint32Array>();
  const written = feed.write(
    { write: (tensor, data) => void arrays.set(tensor, data as Uint32Array) },
    examples,
  );
  return { ...written, inputs: arrays };
}

/** Reads a model's frozen matrices one by one, as a program asks for them. */
export function frozenValues(
  model: Pick<FrozenModel, 'frozen'>,
  weights: WeightFile,
): (tensor: Tensor) => Promise<FrozenValues> {
  const byTensor = new Map<Tensor, FrozenTensor>(model.frozen.map((frozen) => [frozen.tensor, frozen]));
  return async (tensor) => {
    const frozen = byTensor.get(tensor);
    if (!frozen) throw new Error(`${tensor.name} is no frozen matrix of this model`);
    // Formats that only the shaders read are widened.
    return readWidened(weights, frozen);
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
