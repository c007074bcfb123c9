import { readBuffer } from '../gpu/index.ts';
import { beginSubmission, buildProgram, createGraph, type Session } from '../graph/index.ts';
import {
  attentionWeights,
  type Builder,
  type Dims,
  type KernelTraits,
  type Tensor,
} from '../kernels/index.ts';
import type { FrozenModel } from '../models/index.ts';
import type { BatchExample } from './batch.ts';
import { capacityFor, makeFeed } from './feed.ts';

/** One layer's attention to the P rows of a prompt. */
export interface AttentionLayer {
  /** Rows that ask, counted from the first row of the input (encoder, causal) or from the start token (cross). */
  first: number;
  count: number;
  /** [count, P, heads] softmax weights; what is missing to 1 went to rows that are not of the prompt. */
  weights: Float32Array<ArrayBuffer>;
}

/** Who looks at the prompt: an encoder's input, a decoder through cross-attention, or the rows of a decoder alone. */
export interface AttentionBlock {
  of: 'encoder' | 'cross' | 'causal';
  layers: AttentionLayer[];
}

/** Names of sizes that only the blocks of weights have. */
const SIZE = {
  prompt: 'prompt rows',
  later: 'later rows',
  from: { T: 'T weights', D: 'D weights', N: 'N weights' },
};

/**
 * How much each row of one example's input and answer attends to each virtual token, by layer and head, in one forward pass. The
 * weights are recomputed beside the fused attention from what it read and left.
 *
 * @param example its prompt from bank row 0 on, with one answer
 * @param bank rows of prompts, and what puts those of the example there, just before it is submitted
 */
export async function attendToPrompt(
  session: Session,
  traits: KernelTraits,
  model: FrozenModel,
  bank: { rows: Tensor; load: () => void },
  example: BatchExample,
): Promise<AttentionBlock[]> {
  const P = example.prompt.count;
  const feed = makeFeed(model);
  const sizes = capacityFor(feed, [example], 1);
  const { T = 1, D = 1, N = 1 } = sizes;
  const capacity: Dims = {
    ...sizes,
    [SIZE.from.T]: T * P,
    [SIZE.from.D]: D * P,
    [SIZE.from.N]: N * P,
  };
  const graph = createGraph({ ...traits, capacity });
  const seen: { rows: 'T' | 'D' | 'N'; weights: Tensor }[] = [];
  const watching: Builder = {
    ...graph,
    record(node) {
      graph.record(node);
      const { attends } = node;
      // A decoder's attention to its own rows has no prompt among its keys.
      if (attends?.settings.k.rows !== 'T') return;
      const rows = attends.settings.q.rows as 'T' | 'D' | 'N';
      const weights = attentionWeights(graph, attends, {
        name: `${attends.settings.name} weights`,
        queries: rows === 'T' ? { first: SIZE.prompt, count: SIZE.later } : { first: 0, count: rows },
        keys: { first: 0, count: SIZE.prompt },
        rows: SIZE.from[rows],
      });
      seen.push({ rows, weights });
    },
  };
  feed.forward(watching, { rows: bank.rows });
  const program = await buildProgram(session, graph.nodes, { capacity, kept: seen.map((s) => s.weights) });
  try {
    bank.load();
    const { dims } = feed.write(program, [example]);
    const counts = { T: dims.T! - P, D: dims.D ?? 0, N: dims.N! };
    const submission = beginSubmission(session);
    program.record(submission, {
      ...dims,
      [SIZE.prompt]: P,
      [SIZE.later]: counts.T,
      [SIZE.from.T]: counts.T * P,
      [SIZE.from.D]: counts.D * P,
      [SIZE.from.N]: counts.N * P,
    });
    submission.submit();
    const blocks: AttentionBlock[] = [];
    for (const { rows, weights } of seen) {
      const of = rows === 'D' ? 'cross' : model.kind === 'seq2seq' ? 'encoder' : 'causal';
      const bytes = 4 * counts[rows] * P * weights.cols;
      const layer: AttentionLayer = {
        // A decoder's last layer asks for label rows alone: the input's last, then those of the answer.
        first: rows === 'N' ? example.ids.length - 1 : 0,
        count: counts[rows],
        weights: new Float32Array(await readBuffer(session.gpu, program.buffer(weights), bytes)),
      };
      const block = blocks.find((b) => b.of === of);
      if (block) block.layers.push(layer);
      else blocks.push({ of, layers: [layer] });
    }
    return blocks;
  } finally {
    program.destroy();
  }
}
