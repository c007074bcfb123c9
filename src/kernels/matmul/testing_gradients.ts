/** For tests only: what an op's `vjp` contributes, collected without a graph. */
import type { KernelTraits, Tensor } from '../kernel.ts';
import type { Backward, Node } from '../op.ts';
import { recordingBuilder } from '../testing.ts';

/**
 * Calls `node.vjp` with the given gradients of its outputs. `already` holds what other readers contributed before, so that
 * `add` contributions get an addend. Every tensor is wanted.
 */
export function gradientsOf(
  node: Node,
  traits: KernelTraits,
  outputs: Map<Tensor, Tensor>,
  already: Map<Tensor, Tensor> = new Map(),
): { nodes: Node[]; grads: Map<Tensor, Tensor> } {
  const recording = recordingBuilder(traits);
  const grads = new Map(already);
  const back: Backward = {
    ...recording,
    wants: () => true,
    grad: (tensor) => outputs.get(tensor),
    contribute(tensor, part) {
      if (part.kind === 'pass') grads.set(tensor, part.tensor);
      else if (part.kind === 'add') grads.set(tensor, part.make(grads.get(tensor)));
      else {
        const whole = grads.get(tensor) ?? recording.tensor(`d ${tensor.name}`, tensor.rows, tensor.cols);
        grads.set(tensor, whole);
        part.write(whole);
      }
    },
  };
  node.vjp?.(back);
  return { nodes: recording.nodes, grads };
}
