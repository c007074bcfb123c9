import type {
  Backward,
  Builder,
  Contribution,
  Dtype,
  KernelTraits,
  Node,
  Size,
  Tensor,
} from '../kernels/index.ts';

let nextTensorId = 1;

/** A tensor that outlives a step: a frozen weight, a batch input, or state such as the prompt. Shared between graphs. */
export function makeTensor(
  kind: 'weight' | 'input' | 'state',
  name: string,
  rows: Size,
  cols: number,
  dtype: Dtype = 'f32',
): Tensor {
  return { id: nextTensorId++, name, rows, cols, dtype, kind };
}

/**
 * Nodes in the order they run. Ops append their forward pass; `backward` appends the way back, by reverse-mode
 * differentiation over the nodes that lead from a trainable leaf to the loss and over no others.
 */
export interface Graph extends Builder {
  readonly nodes: readonly Node[];
  /**
   * Records the gradients of `loss` for all trainable leaves. `loss` is written by a node whose `vjp` needs no incoming gradient.
   * @param onGradient called as soon as the whole gradient of a tensor on the path is recorded: the place to record a
   * measurement of it, while it lives.
   */
  backward(loss: Tensor, onGradient?: (tensor: Tensor, gradient: Tensor) => void): Map<Tensor, Tensor>;
  /** d loss / d tensor of a tensor on the path, once `backward` has run. */
  gradientOf(tensor: Tensor): Tensor | undefined;
}

/** @param trainable leaves that learn; everything else is frozen. */
export function createGraph(traits: KernelTraits, trainable: readonly Tensor[] = []): Graph {
  const nodes: Node[] = [];
  const onPath = new Set<Tensor>(trainable);
  const gradients = new Map<Tensor, Tensor>();

  const builder: Builder = {
    traits,
    tensor: (name, rows, cols, dtype = 'f32') => ({
      id: nextTensorId++,
      name,
      rows,
      cols,
      dtype,
      kind: 'activation',
    }),
    record(node) {
      nodes.push(node);
      if (node.vjp && node.inputs.some((input) => onPath.has(input)))
        for (const output of node.outputs) onPath.add(output);
    },
  };

  return {
    ...builder,
    nodes,
    gradientOf: (tensor) => gradients.get(tensor),
    backward(loss, onGradient) {
      const parts = new Map<Tensor, Contribution[]>();
      /** The forward node whose gradient is being recorded. */
      let backOf: Node | undefined;
      const recordFor = <R>(source: Node | undefined, record: () => R): R => {
        const outer = backOf;
        backOf = source;
        const made = record();
        backOf = outer;
        return made;
      };
      const back: Backward = {
        ...builder,
        // What is recorded on the way back is not itself differentiated.
        record: (node) => nodes.push({ ...node, backOf }),
        wants: (tensor) => onPath.has(tensor),
        grad(tensor) {
          const known = gradients.get(tensor);
          if (known) return known;
          const own = parts.get(tensor);
          if (!own) return undefined;
          const sum = sumParts(back, tensor, own);
          gradients.set(tensor, sum);
          onGradient?.(tensor, sum);
          return sum;
        },
        contribute(tensor, part) {
          if (gradients.has(tensor))
            throw new Error(`${tensor.name}: a gradient came after its sum was used`);
          const source = backOf;
          // Kernels that compute a part are recorded when its sum is asked for, by the node that made the tensor.
          const owned: Contribution =
            part.kind === 'add'
              ? { kind: 'add', make: (addend) => recordFor(source, () => part.make(addend)) }
              : part.kind === 'columns'
                ? { ...part, write: (into) => recordFor(source, () => part.write(into)) }
                : part;
          const own = parts.get(tensor);
          if (own) own.push(owned);
          else parts.set(tensor, [owned]);
        },
      };
      const forward = nodes.slice();
      const start = forward.findIndex((node) => node.outputs.includes(loss));
      if (start < 0) throw new Error(`${loss.name} is written by no node of this graph`);
      for (let at = start; at >= 0; at--) {
        const node = forward[at];
        const { vjp } = node;
        if (vjp && node.outputs.some((output) => onPath.has(output)))
          recordFor(node, () => vjp.call(node, back));
      }
      return new Map(
        trainable.map((leaf) => {
          const gradient = back.grad(leaf);
          if (!gradient) throw new Error(`no gradient reaches ${leaf.name}`);
          return [leaf, gradient];
        }),
      );
    },
  };
}

function sumParts(back: Backward, tensor: Tensor, parts: Contribution[]): Tensor {
  const columns = parts.filter((part) => part.kind === 'columns');
  if (columns.length > 0) {
    const covered = columns.reduce((sum, part) => sum + part.count, 0);
    if (columns.length !== parts.length || covered !== tensor.cols)
      throw new Error(`${tensor.name}: parts of its gradient cover ${covered} of ${tensor.cols} columns`);
    const whole = back.tensor(`d ${tensor.name}`, tensor.rows, tensor.cols);
    for (const part of columns) part.write(whole);
    return whole;
  }
  let sum: Tensor | undefined;
  // What passes through comes first: the others then add to it in the dispatch they need anyway.
  for (const part of parts) {
    if (part.kind !== 'pass') continue;
    if (sum) throw new Error(`${tensor.name}: two readers pass their gradient through; add them with an op`);
    sum = part.tensor;
  }
  for (const part of parts) if (part.kind === 'add') sum = part.make(sum);
  return sum!;
}
