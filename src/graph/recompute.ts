import type { Node, Tensor } from '../kernels/index.ts';

/**
 * Trades work for memory (Chen et al. 2016, "Training deep nets with sublinear memory cost"): what the forward nodes of a group
 * leave for the way back is dropped, and the group is run a second time just before the way back asks for it. What other forward
 * nodes read, such as the residual stream into the next layer, stays. The same kernels on the same inputs: the same bits.
 *
 * @param nodes of a whole program, forward and back, in order.
 * @param groupOf the group of a forward node, undefined for what is kept.
 * @returns nodes in the order they run; those that nothing needs are still among them, as they always are.
 */
export function recompute(nodes: readonly Node[], groupOf: (node: Node) => number | undefined): Node[] {
  const turn = nodes.findIndex((node) => node.backOf);
  const forward = nodes.slice(0, turn < 0 ? nodes.length : turn);
  const groups = new Map<number, Node[]>();
  const madeBy = new Map<Tensor, number>();
  for (const node of forward) {
    const group = node.tap ? undefined : groupOf(node);
    if (group === undefined) continue;
    groups.set(group, [...(groups.get(group) ?? []), node]);
    for (const tensor of tensorsOf(node))
      if (tensor.kind === 'activation' && !node.inputs.includes(tensor)) madeBy.set(tensor, group);
  }
  const shared = new Set<Tensor>();
  for (const node of forward)
    for (const tensor of node.inputs) {
      const group = madeBy.get(tensor);
      if (group !== undefined && group !== groupOf(node)) shared.add(tensor);
    }

  /** The second copies, once their group has been run again. */
  const copies = new Map<Tensor, Tensor>();
  const rerun = (group: number): Node[] => {
    for (const [tensor, madeIn] of madeBy)
      if (madeIn === group) copies.set(tensor, { ...tensor, name: `${tensor.name} (again)` });
    return groups.get(group)!.map((node) => ({
      ...withTensors(node, (tensor) => copies.get(tensor) ?? tensor),
      vjp: undefined,
      onnx: undefined,
      again: node,
    }));
  };
  const done = new Set<number>();
  const result = [...forward];
  for (const node of nodes.slice(forward.length)) {
    for (const tensor of tensorsOf(node)) {
      const group = shared.has(tensor) ? undefined : madeBy.get(tensor);
      if (group === undefined || done.has(group)) continue;
      done.add(group);
      result.push(...rerun(group));
    }
    result.push(
      withTensors(node, (tensor) => (shared.has(tensor) ? tensor : (copies.get(tensor) ?? tensor))),
    );
  }
  return result;
}

/** All tensors of a node, scratch between its kernels included. */
const tensorsOf = (node: Node): Set<Tensor> =>
  new Set([
    ...node.inputs,
    ...node.outputs,
    ...node.kernels.flatMap(({ buffers }) => buffers.map(({ tensor }) => tensor)),
  ]);

const withTensors = (node: Node, replace: (tensor: Tensor) => Tensor): Node => ({
  ...node,
  inputs: node.inputs.map(replace),
  outputs: node.outputs.map(replace),
  kernels: node.kernels.map((kernel) => ({
    ...kernel,
    buffers: kernel.buffers.map(({ tensor, access }) => ({ tensor: replace(tensor), access })),
  })),
});
