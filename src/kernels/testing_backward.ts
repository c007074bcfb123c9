/** For tests only: the backward pass over a few recorded ops, without the graph's planner. */
import type { KernelTraits, Tensor } from './kernel.ts';
import type { Backward, Contribution, Node } from './op.ts';
import { recordingBuilder } from './testing.ts';

/**
 * Runs the vector-Jacobian products of `nodes` from the last to the first. `seeds` are the gradients of final outputs.
 * Of a tensor with several readers all but one must contribute by `add`.
 */
export function recordBackward(
  traits: KernelTraits,
  nodes: Node[],
  seeds: [output: Tensor, gradient: Tensor][],
  wants: (tensor: Tensor) => boolean = () => true,
): { nodes: Node[]; grad(tensor: Tensor): Tensor | undefined } {
  const recorded = recordingBuilder(traits);
  const gradients = new Map<Tensor, Tensor>(seeds);
  const parts = new Map<Tensor, Contribution[]>();
  const grad = (tensor: Tensor): Tensor | undefined => {
    const list = parts.get(tensor) ?? [];
    parts.delete(tensor);
    let sum = gradients.get(tensor);
    for (const part of [...list].sort((a, b) => Number(b.kind === 'pass') - Number(a.kind === 'pass'))) {
      if (part.kind === 'add') sum = part.make(sum);
      else if (part.kind === 'pass' && !sum) sum = part.tensor;
      else throw new Error(`${tensor.name}: a second contribution of kind ${part.kind}`);
    }
    if (sum) gradients.set(tensor, sum);
    return sum;
  };
  const back: Backward = {
    ...recorded,
    wants,
    grad,
    contribute(tensor, part) {
      parts.set(tensor, [...(parts.get(tensor) ?? []), part]);
    },
  };
  for (const node of [...nodes].reverse()) node.vjp?.(back);
  for (const tensor of [...parts.keys()]) grad(tensor);
  return { nodes: recorded.nodes, grad };
}
