import {
  type Activation,
  activate,
  add,
  attention,
  type Builder,
  embed,
  gate,
  gatherRows,
  type HeadGroups,
  headNorm,
  layerNorm,
  linear,
  rmsNorm,
  rope,
  softCap,
  type Tensor,
} from '../kernels/index.ts';
import type { Frozen } from './frozen.ts';
import type { CausalBatch, CausalModel, ModelInfo, PromptInput } from './model.ts';

/** A linear layer's frozen parameters: [out, in] and [1, out]. */
export interface Linear {
  weight: Tensor;
  bias?: Tensor;
}

/** RMS norm, or layer norm where it has a bias. */
export interface Norm {
  weight: Tensor;
  bias?: Tensor;
}

/** One layer of a decoder, as its family laid it out. */
export interface DecoderLayer {
  /** Before attention; absent: attention reads the residual stream itself. */
  norm?: Norm;
  /** q, k, v as one matrix [(H + 2 KV) D, d]; in the last layer q alone, and k with v, because only label rows ask there. */
  projections: { qkv: Linear } | { q: Linear; kv: Linear };
  /** Norms of queries and keys, laid out over the columns they come in. */
  queryKeyNorm?: { both?: HeadNorm; query?: HeadNorm; key?: HeadNorm };
  /** Table of rotary positions. */
  rotary?: Tensor;
  windowed: boolean;
  output: Linear;
  /** On the branch, before it joins the residual stream. */
  outputNorm?: Norm;
  feedForwardNorm?: Norm;
  up: Linear;
  down: Linear;
  feedForwardOutputNorm?: Norm;
}

export interface HeadNorm {
  weight: Tensor;
  groups: HeadGroups;
}

/** A decoder as plain data: what families differ in. */
export interface DecoderParts {
  info: ModelInfo;
  frozen: Frozen;
  kvHeads: number;
  headDim: number;
  /** Of the scores. */
  scale: number;
  /** Scores and logits are drawn towards -cap .. cap (Gemma 2). */
  scoreCap?: number;
  logitCap?: number;
  embedding: Tensor;
  /** Factor of vocabulary rows; prompt rows are taken as they are. */
  embeddingScale?: number;
  /** Learned positions [positions, d], added to all rows. */
  positionTable?: Tensor;
  layers: readonly DecoderLayer[];
  activation: Activation;
  gated: boolean;
  /** Attention and feed-forward read the same residual stream (GPT-J, GPT-NeoX). */
  parallel?: boolean;
  window?: number;
  finalNorm: Norm;
  head: Linear;
  headScale?: number;
}

/** The graph of a decoder. Its last layer computes queries, attention and feed-forward for label rows only. */
export function makeDecoder(parts: DecoderParts): CausalModel {
  const { info, kvHeads, headDim, layers, window } = parts;
  const heads = info.heads;
  const inner = heads * headDim;
  const kvInner = kvHeads * headDim;
  const last = layers.length - 1;

  const norm = (b: Builder, x: Tensor, n: Norm | undefined): Tensor => {
    if (!n) return x;
    return n.bias
      ? layerNorm(b, x, { weight: n.weight, bias: n.bias }, info.eps)
      : rmsNorm(b, x, n.weight, info.eps);
  };
  const project = (b: Builder, x: Tensor, { weight, bias }: Linear, name: string, residual?: Tensor) =>
    linear(b, x, weight, { name, bias, residual });
  const headed = (b: Builder, x: Tensor, n: HeadNorm | undefined) =>
    n ? headNorm(b, x, n.weight, n.groups, info.eps) : x;

  /** Attention of one layer before its output projection, and the rows of the residual stream that it leads to. */
  const attend = (
    b: Builder,
    x: Tensor,
    h: Tensor,
    layer: DecoderLayer,
    batch: CausalBatch,
    name: string,
  ): { mixed: Tensor; stream: Tensor } => {
    const common = {
      name: `${name}.attention`,
      heads,
      kvHeads,
      headDim,
      scale: parts.scale,
      cap: parts.scoreCap,
      prefix: 'P',
    };
    const turn = (t: Tensor, positions: Tensor, count: number) => {
      if (layer.rotary) rope(b, t, { column: 0, heads: count, headDim, positions, table: layer.rotary });
    };
    const p = layer.projections;
    if ('qkv' in p) {
      const qkv = headed(b, project(b, h, p.qkv, `${name}.qkv`), layer.queryKeyNorm?.both);
      turn(qkv, batch.positions, heads + kvHeads);
      const mixed = attention(b, {
        ...common,
        pairs: 'pairs',
        q: qkv,
        qColumn: 0,
        k: qkv,
        kColumn: inner,
        v: qkv,
        vColumn: inner + kvInner,
        queryRanges: layer.windowed ? batch.windowQueryRanges : batch.queryRanges,
        keyRanges: layer.windowed ? batch.windowKeyRanges : batch.keyRanges,
      });
      return { mixed, stream: x };
    }
    const stream = gatherRows(b, x, batch.labelRow, batch.labelOfRow);
    const asking = h === x ? stream : gatherRows(b, h, batch.labelRow, batch.labelOfRow);
    const q = headed(b, project(b, asking, p.q, `${name}.q`), layer.queryKeyNorm?.query);
    turn(q, batch.labelPositions, heads);
    const kv = headed(b, project(b, h, p.kv, `${name}.kv`), layer.queryKeyNorm?.key);
    turn(kv, batch.positions, kvHeads);
    const mixed = attention(b, {
      ...common,
      pairs: 'labelPairs',
      q,
      qColumn: 0,
      k: kv,
      kColumn: 0,
      v: kv,
      vColumn: kvInner,
      queryRanges: batch.labelQueryRanges,
      keyRanges: batch.labelKeyRanges,
    });
    return { mixed, stream };
  };
  /** A branch joins the residual stream, through its norm where it has one. */
  const join = (
    b: Builder,
    stream: Tensor,
    from: Tensor,
    w: Linear,
    n: Norm | undefined,
    name: string,
  ): Tensor =>
    n
      ? add(b, stream, norm(b, project(b, from, w, `${name}.branch`), n), name)
      : project(b, from, w, name, stream);

  return {
    kind: 'causal',
    info,
    frozen: parts.frozen.list,
    embedding: {
      ...parts.frozen.list.find(({ tensor }) => tensor === parts.embedding)!,
      expand: (values) => Float32Array.from(values, (value) => value * (parts.embeddingScale ?? 1)),
    },
    window:
      window !== undefined && layers.some((layer) => layer.windowed)
        ? { size: window, lastLayer: layers[last]!.windowed }
        : undefined,
    forward(b: Builder, batch: CausalBatch, prompt: PromptInput) {
      let x = embed(b, batch.ids, parts.embedding, {
        name: 'embed',
        scale: parts.embeddingScale,
        prompt: prompt.rows,
        gradient: prompt.gradient && { into: prompt.gradient, promptRow: batch.promptRow },
      });
      if (parts.positionTable)
        x = add(
          b,
          x,
          embed(b, batch.positions, parts.positionTable, { name: 'positions' }),
          'embed with positions',
        );
      const entering: Tensor[] = [];
      layers.forEach((layer, i) => {
        entering.push(x);
        const name = `layer ${i}`;
        const { mixed, stream } = attend(b, x, norm(b, x, layer.norm), layer, batch, name);
        const mid = join(b, stream, mixed, layer.output, layer.outputNorm, `${name}.mid`);
        const h = norm(b, parts.parallel ? stream : mid, layer.feedForwardNorm);
        const up = project(b, h, layer.up, `${name}.up`);
        const hidden = parts.gated ? gate(b, up, parts.activation) : activate(b, up, parts.activation);
        x = join(b, mid, hidden, layer.down, layer.feedForwardOutputNorm, `${name}.out`);
      });
      const final = norm(b, x, parts.finalNorm);
      const logits = linear(b, final, parts.head.weight, {
        name: 'logits',
        bias: parts.head.bias,
        alpha: parts.headScale,
      });
      return {
        logits: parts.logitCap ? softCap(b, logits, parts.logitCap) : logits,
        layers: entering,
        last: final,
        head: {
          states: final,
          weight: parts.head.weight,
          alpha: parts.headScale,
          bias: parts.head.bias,
          cap: parts.logitCap,
        },
      };
    },
  };
}
