import { type Dims, type Node, type Tensor, tensorBytes } from '../kernels/index.ts';

/** The nodes that what is wanted depends on, in order. State that is written (a gradient, the loss) is always wanted. */
export function livingNodes(nodes: readonly Node[], wanted: readonly Tensor[]): Node[] {
  const needed = new Set<Tensor>(wanted);
  const living: Node[] = [];
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at];
    if (!node.outputs.some((output) => output.kind === 'state' || needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    // A part of a tensor written here (columns) needs the other parts too: outputs stay needed further up.
    for (const output of node.outputs) needed.add(output);
    living.push(node);
  }
  return living.reverse();
}

/** Where each activation lives: tensors whose lives do not overlap share a buffer. */
export interface MemoryPlan {
  /** Bytes of each shared buffer. */
  buffers: number[];
  /** Which of them holds a tensor. */
  home: Map<Tensor, number>;
  /** All shared buffers together. */
  bytes: number;
  /** What no plan can go below: the largest sum of activations that live at once. */
  lowerBound: number;
}

/**
 * Assigns activations to shared buffers by "greedy by size" (Pisarchyk and Lee 2020, "Efficient memory management for deep
 * neural net inference", section 4): largest tensors first, each to the smallest buffer that is free for its whole life.
 * Whole buffers and not offsets in one arena, because WebGPU forbids one buffer to be read and written in a dispatch.
 *
 * @param capacity largest sizes a batch may have.
 * @param kept activations that must survive the step, read by other programs or by a person.
 */
export function planMemory(nodes: readonly Node[], capacity: Dims, kept: readonly Tensor[] = []): MemoryPlan {
  const lives = new Map<Tensor, { first: number; last: number; bytes: number }>();
  nodes.forEach((node, at) => {
    // Scratch between the kernels of a node is named by the kernels only.
    const touched = new Set([
      ...node.inputs,
      ...node.outputs,
      ...node.kernels.flatMap((k) => k.buffers.map((b) => b.tensor)),
    ]);
    for (const tensor of touched) {
      if (tensor.kind !== 'activation') continue;
      const life = lives.get(tensor);
      if (life) life.last = at;
      else lives.set(tensor, { first: at, last: at, bytes: tensorBytes(tensor, capacity) });
    }
  });
  for (const tensor of kept) {
    const life = lives.get(tensor);
    if (life) {
      life.first = 0;
      life.last = nodes.length;
    }
  }

  const buffers: { bytes: number; tenants: { first: number; last: number }[] }[] = [];
  const home = new Map<Tensor, number>();
  const bySize = [...lives].sort(([, a], [, b]) => b.bytes - a.bytes || a.first - b.first);
  for (const [tensor, life] of bySize) {
    let best = -1;
    buffers.forEach((buffer, index) => {
      const free = buffer.tenants.every((other) => life.last < other.first || other.last < life.first);
      if (free && (best < 0 || buffer.bytes < buffers[best].bytes)) best = index;
    });
    if (best < 0) {
      best = buffers.length;
      buffers.push({ bytes: life.bytes, tenants: [] });
    }
    buffers[best].tenants.push(life);
    home.set(tensor, best);
  }

  let lowerBound = 0;
  for (let at = 0; at <= nodes.length; at++) {
    let alive = 0;
    for (const life of lives.values()) if (life.first <= at && at <= life.last) alive += life.bytes;
    lowerBound = Math.max(lowerBound, alive);
  }
  return {
    buffers: buffers.map((buffer) => buffer.bytes),
    home,
    bytes: buffers.reduce((sum, buffer) => sum + buffer.bytes, 0),
    lowerBound,
  };
}
